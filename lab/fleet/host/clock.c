/*
 * The clock of one lab host, which on a machine of its own would be its kernel's: /etc/ld.so.preload of the host puts this
 * into every process of it. What sets CLOCK_REALTIME there moves the offset in CLOCK_FILE, and every process of the host
 * reads the real clock with that offset, from the next reading on. No other clock is touched: timers and conditions of a
 * JVM that wait by the monotonic clock would spin.
 *
 * And as the clock, so who may set it: a host looks like a machine's first namespace, with the right to do so.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define CLOCK_FILE "/run/lab/clock-offset"
#define SECOND 1000000000LL
#define FIRST_PID_NAMESPACE 4026531836
#define CAP_SYS_TIME 25

static int64_t none;
/* Nanoseconds, of all processes of the host. */
static volatile int64_t *offset = &none;

__attribute__((constructor)) static void map_offset(void) {
    int fd = syscall(SYS_openat, AT_FDCWD, CLOCK_FILE, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof none, PROT_READ, MAP_SHARED, fd, 0);
    if (map != MAP_FAILED) offset = map;
    close(fd);
}

/* The next one behind this library is the C library's, which needs no system call for it. */
static int machine_clock(clockid_t clock, struct timespec *t) {
    static int (*next)(clockid_t, struct timespec *);
    if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return next ? next(clock, t) : (int)syscall(SYS_clock_gettime, clock, t);
}

int clock_gettime(clockid_t clock, struct timespec *t) {
    int result = machine_clock(clock, t);
    int64_t shift = *offset;
    if (result || !shift || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
    int64_t nanoseconds = t->tv_nsec + shift % SECOND;
    t->tv_sec += shift / SECOND;
    if (nanoseconds < 0) nanoseconds += SECOND, t->tv_sec--;
    if (nanoseconds >= SECOND) nanoseconds -= SECOND, t->tv_sec++;
    t->tv_nsec = nanoseconds;
    return 0;
}

int gettimeofday(struct timeval *restrict v, void *restrict zone) {
    (void)zone;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    v->tv_sec = t.tv_sec;
    v->tv_usec = t.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

/* The file belongs to root: who is not may not. */
int clock_settime(clockid_t clock, const struct timespec *wanted) {
    struct timespec now;
    if (clock != CLOCK_REALTIME) return errno = EINVAL, -1;
    int fd = syscall(SYS_openat, AT_FDCWD, CLOCK_FILE, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno = EPERM, -1;
    machine_clock(CLOCK_REALTIME, &now);
    int64_t shift = (wanted->tv_sec - now.tv_sec) * SECOND + wanted->tv_nsec - now.tv_nsec;
    int written = pwrite(fd, &shift, sizeof shift, 0) == sizeof shift;
    close(fd);
    return written ? 0 : (errno = EIO, -1);
}

static int seen_as_first(const char *path, struct stat *found) {
    int result = (int)syscall(SYS_newfstatat, AT_FDCWD, path, found, 0);
    if (!result && !strcmp(path, "/proc/self/ns/pid")) found->st_ino = FIRST_PID_NAMESPACE;
    return result;
}

int stat(const char *restrict path, struct stat *restrict found) { return seen_as_first(path, found); }
int stat64(const char *restrict path, struct stat64 *restrict found) {
    return seen_as_first(path, (struct stat *)found);
}

/* What the kernel says of this process, with the right to set the clock where it may write the clock's file. */
static int status_of_machine(int fd) {
    char text[8192];
    size_t length = 0;
    ssize_t got;
    while (length < sizeof text - 1 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += got;
    text[length] = 0;
    char *effective = strstr(text, "CapEff:\t");
    int copy = memfd_create("status", MFD_CLOEXEC);
    if (!effective || copy < 0 || access(CLOCK_FILE, W_OK)) return copy >= 0 ? close(copy), -1 : -1;
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", strtoull(effective + 8, NULL, 16) | 1ULL << CAP_SYS_TIME);
    memcpy(effective + 8, digits, 16);
    if (write(copy, text, length) != (ssize_t)length) return close(copy), -1;
    lseek(copy, 0, SEEK_SET);
    return copy;
}

static int opened(const char *path, int flags, mode_t mode) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    if (fd < 0 || strcmp(path, "/proc/self/status")) return fd;
    int seen = status_of_machine(fd);
    if (seen < 0) return lseek(fd, 0, SEEK_SET), fd;
    close(fd);
    return seen;
}

#define OPEN(name)                                          \
    int name(const char *path, int flags, ...) {            \
        va_list more;                                       \
        va_start(more, flags);                              \
        mode_t mode = va_arg(more, mode_t);                 \
        va_end(more);                                       \
        return opened(path, flags, mode);                   \
    }
OPEN(open)
OPEN(open64)
