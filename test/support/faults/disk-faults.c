/*
 * A library to preload into a process on Linux: makes its disk fail on command. The command is the content of the file that
 * CTX_DISK_FAULTS names, looked at before each call:
 *
 *   sync-eio PART     the next fdatasync of a file whose path contains PART fails with EIO, once: the command file is removed
 *   write-eio PART    the same for the next write
 *   full PART         while the command file is there, a write goes half through, and all further ones fail with ENOSPC
 *   quota PART        the same with EDQUOT
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int half_written;

/* Whether a command of this kind is given for the file behind fd. */
static int commanded(const char *kind, int fd) {
  const char *command_file = getenv("CTX_DISK_FAULTS");
  FILE *file = command_file ? fopen(command_file, "r") : NULL;
  if (!file) {
    half_written = 0;
    return 0;
  }
  char said_kind[32] = "", part[256] = "", link[64], path[512];
  int words = fscanf(file, "%31s %255s", said_kind, part);
  fclose(file);
  if (words != 2 || strcmp(said_kind, kind) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return strstr(path, part) != NULL;
}

static void done(void) { unlink(getenv("CTX_DISK_FAULTS")); }

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
  if (commanded("sync-eio", fd)) {
    done();
    errno = EIO;
    return -1;
  }
  return real(fd);
}

typedef ssize_t (*pwrite_call)(int, const void *, size_t, off_t);

static ssize_t faulty_pwrite(pwrite_call real, int fd, const void *bytes, size_t count, off_t at) {
  if (commanded("write-eio", fd)) {
    done();
    errno = EIO;
    return -1;
  }
  const int full = commanded("full", fd);
  if (!full && !commanded("quota", fd)) return real(fd, bytes, count, at);
  if (half_written || count < 2) {
    errno = full ? ENOSPC : EDQUOT;
    return -1;
  }
  half_written = 1;
  return real(fd, bytes, count / 2, at);
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  static pwrite_call real;
  if (!real) real = (pwrite_call)dlsym(RTLD_NEXT, "pwrite");
  return faulty_pwrite(real, fd, bytes, count, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t at) {
  static pwrite_call real;
  if (!real) real = (pwrite_call)dlsym(RTLD_NEXT, "pwrite64");
  return faulty_pwrite(real, fd, bytes, count, at);
}
