/*
 * power-cut FOLDER: ends the ext4 file system that FOLDER is on as a power cut would. What is not on its device is lost, the
 * journal is not flushed; it has to be mounted anew. Needs root.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2

int main(int count, char **words) {
  uint32_t how = NO_LOG_FLUSH;
  int fd = count == 2 ? open(words[1], O_RDONLY) : -1;
  if (fd < 0 || ioctl(fd, SHUTDOWN, &how) != 0) {
    perror("power-cut");
    return 1;
  }
  return 0;
}
