// SPDX-FileCopyrightText: The linuxnet.vnet contributors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel's floor: what making the benchmark's end state costs when nothing but the kernel costs anything.
//
//     kernel_floor build N     namespaces c0.., veths v0.. on the bridge br0, an address and a default route in each
//     kernel_floor absent N    takes it all away: the links by their group, the namespaces by unmounting them
//
// One thread; many requests per system call, and their answers read afterwards; the bridge comes up last. It
// expects to be root in a network and mount namespace of its own, with a directory /run/netns.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 20, GROUP = 7, BRIDGE = 1000, LOOPBACK = 1, ETH0 = 2, SPACE = 1 << 16 };

static union {
    struct nlmsghdr first; // so that all of it is aligned as headers need it
    char bytes[SPACE];
} out;
static size_t used;
static int waiting;
static struct nlmsghdr *now;

static void die(const char *what)
{
    fprintf(stderr, "kernel_floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int rtnetlink(void)
{
    int on = 1, room = 1 << 22, sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (sock < 0)
        die("socket");
    setsockopt(sock, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return sock;
}

// --- writing requests ---------------------------------------------------------------------------------------

static void begin(int type, int flags, const void *body, size_t size)
{
    now = (struct nlmsghdr *)(out.bytes + used);
    memset(now, 0, NLMSG_HDRLEN);
    now->nlmsg_type = type;
    now->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    now->nlmsg_len = NLMSG_LENGTH(size);
    memcpy(NLMSG_DATA(now), body, size);
}

static struct rtattr *put(int type, const void *value, size_t size)
{
    struct rtattr *attr = (struct rtattr *)((char *)now + NLMSG_ALIGN(now->nlmsg_len));
    attr->rta_type = type;
    attr->rta_len = RTA_LENGTH(size);
    if (size)
        memcpy(RTA_DATA(attr), value, size);
    now->nlmsg_len = NLMSG_ALIGN(now->nlmsg_len) + RTA_ALIGN(attr->rta_len);
    return attr;
}

static struct rtattr *put_text(int type, const char *text)
{
    return put(type, text, strlen(text) + 1);
}

static void close_nest(struct rtattr *nest)
{
    nest->rta_len = (char *)now + now->nlmsg_len - (char *)nest;
}

static void done(void)
{
    used += NLMSG_ALIGN(now->nlmsg_len);
    waiting++;
}

// Send what was written, and read as many answers as there were requests.
static void flush(int sock)
{
    static union {
        struct nlmsghdr first;
        char bytes[SPACE];
    } in;
    if (used && send(sock, out.bytes, used, 0) < 0)
        die("send");
    used = 0;
    while (waiting > 0) {
        int left = recv(sock, in.bytes, sizeof in.bytes, 0);
        if (left < 0)
            die("recv");
        for (struct nlmsghdr *answer = &in.first; NLMSG_OK(answer, left); answer = NLMSG_NEXT(answer, left)) {
            if (answer->nlmsg_type != NLMSG_ERROR)
                continue;
            errno = -((struct nlmsgerr *)NLMSG_DATA(answer))->error;
            if (errno)
                die("the kernel refused a request");
            waiting--;
        }
    }
}

// --- the requests -------------------------------------------------------------------------------------------

static void link_up(int index)
{
    struct ifinfomsg link = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    begin(RTM_NEWLINK, 0, &link, sizeof link);
    done();
}

static void address(int index, in_addr_t host_order)
{
    struct ifaddrmsg body = {.ifa_family = AF_INET, .ifa_prefixlen = 16, .ifa_index = index};
    in_addr_t value = htonl(host_order);
    begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    put(IFA_LOCAL, &value, sizeof value);
    put(IFA_ADDRESS, &value, sizeof value);
    done();
}

static void default_route(in_addr_t host_order)
{
    struct rtmsg body = {
        .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST};
    in_addr_t gateway = htonl(host_order);
    begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    put(RTA_GATEWAY, &gateway, sizeof gateway);
    done();
}

static void bridge(void)
{
    struct ifinfomsg link = {.ifi_index = BRIDGE};
    begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    put_text(IFLA_IFNAME, "br0");
    struct rtattr *info = put(IFLA_LINKINFO, NULL, 0);
    put_text(IFLA_INFO_KIND, "bridge");
    close_nest(info);
    done();
}

// A veth that is a port and up, its other end in the namespace of the descriptor: one request.
static void veth(int number, int namespace)
{
    char name[IFNAMSIZ];
    struct ifinfomsg link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, peer = {.ifi_index = ETH0};
    int master = BRIDGE, group = GROUP;
    snprintf(name, sizeof name, "v%d", number);
    begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &link, sizeof link);
    put_text(IFLA_IFNAME, name);
    put(IFLA_MASTER, &master, sizeof master);
    put(IFLA_GROUP, &group, sizeof group);
    struct rtattr *info = put(IFLA_LINKINFO, NULL, 0);
    put_text(IFLA_INFO_KIND, "veth");
    struct rtattr *data = put(IFLA_INFO_DATA, NULL, 0);
    struct rtattr *other = put(VETH_INFO_PEER, &peer, sizeof peer);
    put_text(IFLA_IFNAME, "eth0");
    put(IFLA_NET_NS_FD, &namespace, sizeof namespace);
    close_nest(other);
    close_nest(data);
    close_nest(info);
    done();
}

// --- the two things that it does ----------------------------------------------------------------------------

static void path_of(char *path, size_t size, int number)
{
    snprintf(path, size, "/run/netns/c%d", number);
}

static void build(int count)
{
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), host = rtnetlink();
    int *namespaces = calloc(count, sizeof *namespaces), *inside = calloc(count, sizeof *inside);
    const in_addr_t gateway = 0x0a090001; // 10.9.0.1
    char path[64];

    for (int i = 0; i < count; i++) {
        path_of(path, sizeof path, i);
        int file = open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0444);
        if (file < 0 || unshare(CLONE_NEWNET) || mount("/proc/self/ns/net", path, "none", MS_BIND, NULL))
            die(path);
        close(file);
        namespaces[i] = open(path, O_RDONLY | O_CLOEXEC);
        inside[i] = rtnetlink();
    }
    if (setns(home, CLONE_NEWNET))
        die("setns");

    bridge();
    address(BRIDGE, gateway);
    for (int i = 0; i < count; i++) {
        veth(i, namespaces[i]);
        if (waiting >= BATCH)
            flush(host);
    }
    flush(host);
    for (int i = 0; i < count; i++) {
        link_up(LOOPBACK);
        link_up(ETH0);
        address(ETH0, 0x0a090000 + 256 * (i / 250) + i % 250 + 2);
        default_route(gateway);
        flush(inside[i]);
    }
    link_up(BRIDGE);
    flush(host);
}

static void absent(int count)
{
    int host = rtnetlink(), group = GROUP;
    struct ifinfomsg any = {0}, one = {.ifi_index = BRIDGE};
    char path[64];

    begin(RTM_DELLINK, 0, &any, sizeof any);
    put(IFLA_GROUP, &group, sizeof group);
    done();
    begin(RTM_DELLINK, 0, &one, sizeof one);
    done();
    flush(host);
    for (int i = 0; i < count; i++) {
        path_of(path, sizeof path, i);
        if (umount2(path, MNT_DETACH) || unlink(path))
            die(path);
    }
}

int main(int argc, char **argv)
{
    int count = argc == 3 ? atoi(argv[2]) : 0;
    if (count < 1 || count > 1000) {
        fprintf(stderr, "usage: kernel_floor build|absent N    (N from 1 to 1000)\n");
        return 2;
    }
    if (strcmp(argv[1], "absent") == 0)
        absent(count);
    else
        build(count);
    return 0;
}
