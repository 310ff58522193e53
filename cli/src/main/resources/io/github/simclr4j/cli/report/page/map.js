// Maps of images: the static picture becomes one to zoom and to move. It reads what the picture itself has: a circle an image.
(function () {
  var dark = matchMedia('(prefers-color-scheme: dark)');
  document.querySelectorAll('.map').forEach(function (map) {
    var svg = map.querySelector('.stage svg'), circles = Array.from(svg.querySelectorAll('circle'));
    var sheet = document.getElementById(map.dataset.sheet), names = JSON.parse(sheet.dataset.names);
    var tile = +map.dataset.tile, columns = +map.dataset.columns;
    var points = circles.map(function (c) {
      return { x: +c.getAttribute('cx') / 1000, y: +c.getAttribute('cy') / 1000, kind: +c.parentNode.dataset.kind,
        image: +c.dataset.image };
    });
    // Drawn in the order of the images, so that no class lies above all others.
    points.sort(function (a, b) { return a.image - b.image; });
    var kinds = Array.from(map.querySelectorAll('.kinds button')), chosen = -1;
    var stage = map.querySelector('.stage'), canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
    var said = map.querySelector('output'), close = map.querySelector('.close');
    var zoom = 1, x = .5, y = .5, near = null, focused = false, colours = [];

    canvas.tabIndex = 0;
    canvas.setAttribute('role', 'application');
    canvas.setAttribute('aria-label', svg.getAttribute('aria-label')
      + ' Arrow keys move the map, plus and minus zoom, 0 shows all; the image in the middle is named below.');
    stage.appendChild(canvas);
    svg.style.display = 'none';
    map.querySelector('.tools').hidden = false;
    map.querySelector('.look').hidden = false;
    kinds.forEach(function (b) { b.disabled = false; });

    function paint() {
      var style = getComputedStyle(map);
      colours = Array.from({ length: 10 }, function (v, i) { return style.getPropertyValue('--k' + i).trim(); });
      colours.edge = style.getPropertyValue('--text').trim();
      draw();
    }
    function side() { return stage.clientWidth; }
    function place(p) { var s = side(); return { x: s * ((p.x - x) * zoom * .96 + .5), y: s * ((p.y - y) * zoom * .96 + .5) }; }
    function size() { return Math.min(64, Math.max(0, 7 * zoom)); }
    function dot(q, r, kind) {
      pen.beginPath();
      if (kind < 10) pen.arc(q.x, q.y, r, 0, 7);
      else if (kind < 20) pen.rect(q.x - r, q.y - r, 2 * r, 2 * r);
      else { pen.moveTo(q.x, q.y - 1.3 * r); pen.lineTo(q.x + 1.3 * r, q.y + r); pen.lineTo(q.x - 1.3 * r, q.y + r); }
      pen.fill();
    }
    function draw() {
      var s = side(), scale = devicePixelRatio || 1, pictures = map.querySelector('.pictures').checked;
      canvas.width = canvas.height = Math.round(s * scale);
      pen.setTransform(scale, 0, 0, scale, 0, 0);
      pen.clearRect(0, 0, s, s);
      pen.imageSmoothingEnabled = tile > 40;
      points.forEach(function (p) {
        var q = place(p), edge = pictures ? Math.max(14, size()) : 0;
        if (q.x < -edge || q.y < -edge || q.x > s + edge || q.y > s + edge) return;
        pen.globalAlpha = chosen < 0 || chosen === p.kind ? 1 : .12;
        pen.fillStyle = colours[p.kind % 10] || colours.edge;
        if (pictures && sheet.complete) {
          pen.fillRect(q.x - edge / 2 - 2, q.y - edge / 2 - 2, edge + 4, edge + 4);
          pen.drawImage(sheet, p.image % columns * tile, Math.floor(p.image / columns) * tile, tile, tile,
            q.x - edge / 2, q.y - edge / 2, edge, edge);
        } else {
          dot(q, Math.min(7, 3 + zoom / 3), p.kind);
        }
      });
      pen.globalAlpha = 1;
      if (near) { mark(place(near), pictures ? Math.max(14, size()) / 2 + 4 : 10); }
      else if (focused) { mark({ x: s / 2, y: s / 2 }, 6); }
    }
    function mark(q, r) { pen.strokeStyle = colours.edge; pen.lineWidth = 2; pen.strokeRect(q.x - r, q.y - r, 2 * r, 2 * r); }
    function show(p) {
      near = p;
      close.hidden = !p;
      if (p) {
        var view = close.getContext('2d');
        view.imageSmoothingEnabled = tile > 40;
        view.clearRect(0, 0, close.width, close.height);
        view.drawImage(sheet, p.image % columns * tile, Math.floor(p.image / columns) * tile, tile, tile, 0, 0, close.width, close.height);
        said.textContent = names[p.image] + (kinds[p.kind] ? ' (' + kinds[p.kind].dataset.name + ')' : '');
      }
      draw();
    }
    function nearest(px, py, within) {
      var best = null, least = within * within;
      points.forEach(function (p) {
        if (chosen >= 0 && chosen !== p.kind) return;
        var q = place(p), d = (q.x - px) * (q.x - px) + (q.y - py) * (q.y - py);
        if (d <= least) { least = d; best = p; }
      });
      return best;
    }
    function clamp() {
      zoom = Math.min(40, Math.max(1, zoom));
      var reach = .5 - .5 / zoom;
      x = Math.min(.5 + reach, Math.max(.5 - reach, x));
      y = Math.min(.5 + reach, Math.max(.5 - reach, y));
      canvas.style.touchAction = zoom > 1 ? 'none' : 'auto';
    }
    function change(factor, px, py) {
      var s = side(), before = zoom;
      zoom *= factor;
      clamp();
      x += (px / s - .5) / .96 * (1 / before - 1 / zoom);
      y += (py / s - .5) / .96 * (1 / before - 1 / zoom);
      clamp();
      draw();
    }
    function middle() { var s = side(); show(nearest(s / 2, s / 2, s / 4)); }
    function tool(name, action) { map.querySelector(name).addEventListener('click', action); }
    tool('.in', function () { change(1.5, side() / 2, side() / 2); });
    tool('.out', function () { change(1 / 1.5, side() / 2, side() / 2); });
    tool('.all', function () { zoom = 1; clamp(); show(null); said.textContent = ''; });
    map.querySelector('.pictures').addEventListener('change', draw);
    kinds.forEach(function (button, i) {
      button.addEventListener('click', function () {
        chosen = chosen === i ? -1 : i;
        kinds.forEach(function (b, j) { b.setAttribute('aria-pressed', String(chosen === j)); });
        if (near && chosen >= 0 && near.kind !== chosen) { near = null; close.hidden = true; said.textContent = ''; }
        draw();
      });
    });
    canvas.addEventListener('keydown', function (e) {
      var step = .12 / zoom, moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (e.ctrlKey || e.altKey || e.metaKey) return;
      if (moves[e.key]) { x += moves[e.key][0]; y += moves[e.key][1]; clamp(); }
      else if (e.key === '+' || e.key === '=') { zoom *= 1.5; clamp(); }
      else if (e.key === '-') { zoom /= 1.5; clamp(); }
      else if (e.key === '0') { zoom = 1; clamp(); }
      else return;
      e.preventDefault();
      middle();
    });
    canvas.addEventListener('focus', function () { focused = true; draw(); });
    canvas.addEventListener('blur', function () { focused = false; draw(); });
    // Turning the wheel scrolls the page, unless somebody works with the map.
    canvas.addEventListener('wheel', function (e) {
      if (!focused && !e.ctrlKey) return;
      e.preventDefault();
      change(Math.exp(-e.deltaY / 400), e.offsetX, e.offsetY);
    }, { passive: false });
    var from = null;
    canvas.addEventListener('pointerdown', function (e) { from = { x: e.clientX, y: e.clientY, moved: false }; });
    canvas.addEventListener('pointermove', function (e) {
      if (!from) { if (e.pointerType === 'mouse') { var p = nearest(e.offsetX, e.offsetY, 24); if (p && p !== near) show(p); } return; }
      if (!from.moved && Math.hypot(e.clientX - from.x, e.clientY - from.y) < 4) return;
      if (!from.moved) { canvas.setPointerCapture(e.pointerId); }
      from.moved = true;
      x -= (e.clientX - from.x) / side() / zoom / .96;
      y -= (e.clientY - from.y) / side() / zoom / .96;
      from.x = e.clientX; from.y = e.clientY;
      clamp();
      draw();
    });
    canvas.addEventListener('pointerup', function (e) {
      if (from && !from.moved) { show(nearest(e.offsetX, e.offsetY, 40)); }
      from = null;
    });
    canvas.addEventListener('pointercancel', function () { from = null; });
    dark.addEventListener('change', paint);
    addEventListener('resize', draw);
    sheet.addEventListener('load', draw);
    clamp();
    paint();
  });
})();
