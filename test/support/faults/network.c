/*
 * network PREFIX NODES: a switch in user space between network namespaces. Node n of NODES gets a namespace of its own with one
 * interface, PREFIX.n; the caller's own namespace gets PREFIX.254. Says `ready FD FD ...`: /proc/<pid>/fd/FD is the namespace of
 * node 1, 2, ... Everything is gone when this process ends, and it ends with its standard input. Needs root or
 * CAP_NET_ADMIN and CAP_SYS_ADMIN, and /dev/net/tun.
 *
 * Commands on standard input, each answered by one line:
 *   link FROM TO PERCENT MS   of the frames from FROM to TO so many get lost, the rest comes so much later; 0 = the caller
 *   counts                    `FROM>TO=passed/lost/delayed` of every link that was used
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_PORTS 16
#define MAX_FRAME 2048
#define MAX_WAITING 65536
#define CALLER 254

struct frame {
  struct frame *next;
  double due;
  int length;
  unsigned char bytes[];
};

struct link {
  int percent;
  double ms;
  unsigned long passed, lost, delayed;
  struct frame *first, *last;
};

static int ports;
static int taps[MAX_PORTS];
static struct link links[MAX_PORTS][MAX_PORTS];
static int waiting;
static const char *prefix;

static void need(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "network: %s: %s\n", what, strerror(errno));
  exit(1);
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static struct in_addr address_of(int port) {
  char text[32];
  struct in_addr address;
  snprintf(text, sizeof text, "%s.%d", prefix, port == 0 ? CALLER : port);
  need(inet_aton(text, &address), text);
  return address;
}

static void hardware_address(unsigned char *mac, int port) {
  const unsigned char local[6] = {2, 0, 0, 0, 0, port};
  memcpy(mac, local, 6);
}

static void set_address(int control, struct ifreq *request, unsigned long what, struct in_addr address) {
  struct sockaddr_in socket_address = {.sin_family = AF_INET, .sin_addr = address};
  memcpy(&request->ifr_addr, &socket_address, sizeof socket_address);
  need(ioctl(control, what, request) == 0, "address of the interface");
}

static void bring_up(int control, const char *name) {
  struct ifreq request = {0};
  snprintf(request.ifr_name, IFNAMSIZ, "%s", name);
  need(ioctl(control, SIOCGIFFLAGS, &request) == 0, name);
  request.ifr_flags |= IFF_UP;
  need(ioctl(control, SIOCSIFFLAGS, &request) == 0, name);
}

/* Known beforehand: a cut network is silent, it does not say "no route to host". */
static void know_neighbours(int control, const char *name, int port) {
  for (int other = 0; other < ports; other++) {
    if (other == port) continue;
    struct arpreq entry = {.arp_flags = ATF_COM | ATF_PERM};
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr = address_of(other)};
    memcpy(&entry.arp_pa, &where, sizeof where);
    entry.arp_ha.sa_family = ARPHRD_ETHER;
    hardware_address((unsigned char *)entry.arp_ha.sa_data, other);
    snprintf(entry.arp_dev, sizeof entry.arp_dev, "%s", name);
    need(ioctl(control, SIOCSARP, &entry) == 0, "neighbour");
  }
}

/* In the namespace that this process is in now. */
static int open_tap(int port) {
  int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  need(tap >= 0, "/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  snprintf(request.ifr_name, IFNAMSIZ, "ctxlab%%d");
  need(ioctl(tap, TUNSETIFF, &request) == 0, "TUNSETIFF");
  char name[IFNAMSIZ];
  snprintf(name, sizeof name, "%s", request.ifr_name);
  int control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  need(control >= 0, "socket");
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  hardware_address((unsigned char *)request.ifr_hwaddr.sa_data, port);
  need(ioctl(control, SIOCSIFHWADDR, &request) == 0, "hardware address");
  set_address(control, &request, SIOCSIFADDR, address_of(port));
  struct in_addr mask = {.s_addr = htonl(0xffffff00)};
  set_address(control, &request, SIOCSIFNETMASK, mask);
  bring_up(control, name);
  if (port != 0) bring_up(control, "lo");
  know_neighbours(control, name, port);
  close(control);
  return tap;
}

static void deliver(int to, const unsigned char *bytes, int length) {
  /* A full interface loses frames, as a real one does. */
  if (write(taps[to], bytes, length) < 0 && errno != EAGAIN && errno != EIO) need(0, "write");
}

static void forward(int from, int to, const unsigned char *bytes, int length) {
  struct link *link = &links[from][to];
  if (rand() % 100 < link->percent || waiting >= MAX_WAITING) {
    link->lost++;
    return;
  }
  /* Also while some wait from before: frames of a link do not overtake each other. */
  if (link->ms == 0 && link->first == NULL) {
    link->passed++;
    return deliver(to, bytes, length);
  }
  struct frame *frame = malloc(sizeof *frame + length);
  need(frame != NULL, "memory");
  frame->next = NULL;
  frame->due = now_ms() + link->ms;
  frame->length = length;
  memcpy(frame->bytes, bytes, length);
  if (link->last != NULL) link->last->next = frame;
  else link->first = frame;
  link->last = frame;
  waiting++;
}

/* Delivers what is due. Returns how long to wait for the next frame, -1 = there is none. */
static int deliver_due(void) {
  double next = -1, now = now_ms();
  for (int from = 0; from < ports; from++) {
    for (int to = 0; to < ports; to++) {
      struct link *link = &links[from][to];
      while (link->first != NULL && link->first->due <= now) {
        struct frame *frame = link->first;
        link->first = frame->next;
        if (link->first == NULL) link->last = NULL;
        deliver(to, frame->bytes, frame->length);
        free(frame);
        link->delayed++;
        waiting--;
      }
      if (link->first != NULL && (next < 0 || link->first->due < next)) next = link->first->due;
    }
  }
  return next < 0 ? -1 : (int)(next - now) + 1;
}

static void receive(int from) {
  unsigned char bytes[MAX_FRAME];
  int length;
  while ((length = read(taps[from], bytes, sizeof bytes)) > 0) {
    int to = bytes[5];
    if (bytes[0] == 2 && to < ports && to != from) forward(from, to, bytes, length);
  }
}

static void tell_counts(void) {
  for (int from = 0; from < ports; from++) {
    for (int to = 0; to < ports; to++) {
      const struct link *l = &links[from][to];
      if (l->passed + l->lost + l->delayed > 0) printf("%d>%d=%lu/%lu/%lu ", from, to, l->passed, l->lost, l->delayed);
    }
  }
  printf("\n");
}

static void obey(const char *line) {
  int from, to, percent;
  double ms;
  if (sscanf(line, "link %d %d %d %lf", &from, &to, &percent, &ms) == 4 && from >= 0 && from < ports && to >= 0 &&
      to < ports) {
    links[from][to].percent = percent;
    links[from][to].ms = ms;
    printf("done\n");
  } else if (strncmp(line, "counts", 6) == 0) tell_counts();
  else printf("not understood\n");
  fflush(stdout);
}

/* Returns 0 at the end of the input. */
static int read_commands(void) {
  static char line[256];
  static int used;
  char bytes[4096];
  int length = read(0, bytes, sizeof bytes);
  for (int i = 0; i < length; i++) {
    if (bytes[i] != '\n' && used < (int)sizeof line - 1) line[used++] = bytes[i];
    else {
      line[used] = 0;
      used = 0;
      obey(line);
    }
  }
  return length > 0;
}

int main(int count, char **words) {
  if (count != 3 || (ports = atoi(words[2]) + 1) < 2 || ports > MAX_PORTS) {
    fprintf(stderr, "network PREFIX NODES\n");
    return 1;
  }
  prefix = words[1];
  int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  need(home >= 0, "/proc/self/ns/net");
  taps[0] = open_tap(0);
  int spaces[MAX_PORTS];
  for (int port = 1; port < ports; port++) {
    need(unshare(CLONE_NEWNET) == 0, "unshare");
    spaces[port] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    need(spaces[port] >= 0, "/proc/self/ns/net");
    taps[port] = open_tap(port);
    need(setns(home, CLONE_NEWNET) == 0, "setns");
  }
  printf("ready");
  for (int port = 1; port < ports; port++) printf(" %d", spaces[port]);
  printf("\n");
  fflush(stdout);
  struct pollfd polled[MAX_PORTS + 1];
  for (int port = 0; port < ports; port++) polled[port] = (struct pollfd){.fd = taps[port], .events = POLLIN};
  polled[ports] = (struct pollfd){.fd = 0, .events = POLLIN};
  for (;;) {
    poll(polled, ports + 1, deliver_due());
    for (int port = 0; port < ports; port++) {
      if (polled[port].revents & POLLIN) receive(port);
    }
    if (polled[ports].revents != 0 && !read_commands()) return 0;
  }
}
