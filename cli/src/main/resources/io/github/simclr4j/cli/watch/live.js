// Asks the server for the page again and puts in what has changed, part by part: what stays the same does not flicker.
(function () {
  'use strict';
  var main = document.querySelector('main'), live = document.getElementById('live'), tag = '', timer = 0;
  var controls = 'a[href], button, input, summary, [tabindex]';
  document.body.appendChild(live);

  function opened(e) {
    return (e.matches('details') ? [e] : []).concat(Array.from(e.querySelectorAll('details')));
  }

  function same(a, b) {
    var copy = a.cloneNode(true);
    opened(copy).forEach(function (d) { d.removeAttribute('open'); });
    return copy.outerHTML === b.outerHTML;
  }

  function swap(text) {
    var next = new DOMParser().parseFromString(text, 'text/html'), note = next.getElementById('live');
    var focused = Array.from(main.querySelectorAll(controls)).indexOf(document.activeElement);
    if (note) { note.remove(); }
    document.title = next.title;
    var style = document.querySelector('style'), css = next.querySelector('style').textContent;
    if (style.textContent !== css) { style.textContent = css; }
    var fresh = Array.from(next.querySelector('main').children);
    fresh.forEach(function (e, i) {
      var old = main.children[i];
      if (!old) { main.appendChild(document.adoptNode(e)); return; }
      if (same(old, e)) { return; }
      var open = opened(old).map(function (d) { return d.open; });
      opened(e).forEach(function (d, k) { if (open[k]) { d.open = true; } });
      main.replaceChild(document.adoptNode(e), old);
    });
    while (main.children.length > fresh.length) { main.lastElementChild.remove(); }
    if (focused >= 0 && document.activeElement === document.body) {
      var again = main.querySelectorAll(controls)[focused];
      if (again) { again.focus({ preventScroll: true }); }
    }
  }

  function say(text) {
    if (live.textContent !== text) { live.textContent = text; }
  }

  function ask() {
    clearTimeout(timer);
    if (document.hidden) { return; }
    fetch('/', { cache: 'no-store', headers: tag ? { 'If-None-Match': tag } : {} }).then(function (answer) {
      if (answer.status === 304) { return null; }
      if (!answer.ok) { return answer.text().then(function (why) { throw new Error(why); }); }
      tag = answer.headers.get('ETag') || '';
      return answer.text();
    }).then(function (text) {
      if (text !== null) {
        swap(text);
        say('Live, last changed at ' + new Date().toLocaleTimeString());
      }
    }).catch(function (e) {
      tag = '';
      say(e instanceof TypeError ? 'The server does not answer: the watch has ended, or is busy. Trying again.' : e.message);
    }).then(function () { timer = setTimeout(ask, 2000); });
  }

  document.addEventListener('visibilitychange', ask);
  ask();
}());
