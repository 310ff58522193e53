/*
 * Makes one folder behave like a network folder, for the process that preloads this library. SHARE is the folder; in the folder
 * SHARE_STATE are files that say how it is now:
 *   gone   every call that concerns the folder fails with the errno in the file, such as 116 (ESTALE) or 5 (EIO)
 *   stall  such calls wait until the file is gone, like those to a hard-mounted server that does not answer
 *   slow   such calls take the microseconds in the file
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
static volatile char on_share[FILES];

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__)) dlsym(RTLD_NEXT, #name))

static int is_shared(const char *path) {
    const char *share = getenv("SHARE");
    size_t n = share ? strlen(share) : 0;
    return n && path && !strncmp(path, share, n) && (path[n] == '/' || !path[n]);
}

/* The number in a file of the state; -1 if there is no such file. */
static int state(const char *name) {
    char path[4096], text[32];
    const char *folder = getenv("SHARE_STATE");
    if (!folder) return -1;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = REAL(int, open64, const char *, int, ...)(path, O_RDONLY);
    if (fd < 0) return -1;
    ssize_t n = REAL(ssize_t, read, int, void *, size_t)(fd, text, sizeof text - 1);
    REAL(int, close, int)(fd);
    text[n > 0 ? n : 0] = 0;
    return atoi(text);
}

/* 0 if the call may go on. */
static int fails(void) {
    while (state("stall") >= 0) usleep(5000);
    int slow = state("slow");
    if (slow > 0) usleep(slow);
    int gone = state("gone");
    if (gone > 0) errno = gone;
    return gone > 0;
}

static int path_fails(const char *path) { return is_shared(path) && fails(); }
static int fd_fails(int fd) { return fd >= 0 && fd < FILES && on_share[fd] && fails(); }

static int opened(const char *path, int fd) {
    if (fd >= 0 && fd < FILES) on_share[fd] = is_shared(path);
    return fd;
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return path_fails(path) ? -1 : opened(path, REAL(int, open64, const char *, int, ...)(path, flags, mode));
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return path_fails(path) ? -1 : opened(path, REAL(int, open, const char *, int, ...)(path, flags, mode));
}

int close(int fd) {
    if (fd >= 0 && fd < FILES) on_share[fd] = 0;
    return REAL(int, close, int)(fd);
}

ssize_t read(int fd, void *to, size_t n) { return fd_fails(fd) ? -1 : REAL(ssize_t, read, int, void *, size_t)(fd, to, n); }
ssize_t pread64(int fd, void *to, size_t n, off64_t at) {
    return fd_fails(fd) ? -1 : REAL(ssize_t, pread64, int, void *, size_t, off64_t)(fd, to, n, at);
}
ssize_t readv(int fd, const struct iovec *to, int n) {
    return fd_fails(fd) ? -1 : REAL(ssize_t, readv, int, const struct iovec *, int)(fd, to, n);
}
ssize_t write(int fd, const void *from, size_t n) {
    return fd_fails(fd) ? -1 : REAL(ssize_t, write, int, const void *, size_t)(fd, from, n);
}
ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at) {
    return fd_fails(fd) ? -1 : REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, from, n, at);
}
ssize_t writev(int fd, const struct iovec *from, int n) {
    return fd_fails(fd) ? -1 : REAL(ssize_t, writev, int, const struct iovec *, int)(fd, from, n);
}
int fsync(int fd) { return fd_fails(fd) ? -1 : REAL(int, fsync, int)(fd); }
int fdatasync(int fd) { return fd_fails(fd) ? -1 : REAL(int, fdatasync, int)(fd); }
int ftruncate64(int fd, off64_t n) { return fd_fails(fd) ? -1 : REAL(int, ftruncate64, int, off64_t)(fd, n); }
int fstat64(int fd, struct stat64 *s) { return fd_fails(fd) ? -1 : REAL(int, fstat64, int, struct stat64 *)(fd, s); }
int stat64(const char *path, struct stat64 *s) {
    return path_fails(path) ? -1 : REAL(int, stat64, const char *, struct stat64 *)(path, s);
}
int lstat64(const char *path, struct stat64 *s) {
    return path_fails(path) ? -1 : REAL(int, lstat64, const char *, struct stat64 *)(path, s);
}
int statvfs64(const char *path, struct statvfs64 *s) {
    return path_fails(path) ? -1 : REAL(int, statvfs64, const char *, struct statvfs64 *)(path, s);
}
int access(const char *path, int how) { return path_fails(path) ? -1 : REAL(int, access, const char *, int)(path, how); }
DIR *opendir(const char *path) { return path_fails(path) ? NULL : REAL(DIR *, opendir, const char *)(path); }
int mkdir(const char *path, mode_t mode) { return path_fails(path) ? -1 : REAL(int, mkdir, const char *, mode_t)(path, mode); }
int unlink(const char *path) { return path_fails(path) ? -1 : REAL(int, unlink, const char *)(path); }
int rmdir(const char *path) { return path_fails(path) ? -1 : REAL(int, rmdir, const char *)(path); }
int rename(const char *from, const char *to) {
    return path_fails(from) || path_fails(to) ? -1 : REAL(int, rename, const char *, const char *)(from, to);
}
