/* WebSocket clients (RFC 6455): connect, upgrade, masked frames out, frames in. */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_BACKOFF_S 0.5
#define LONGEST_BACKOFF_S 60.0

static struct sockaddr_in server;
static char request[1024];
static size_t request_size;
static int epoll;
static uint8_t in[BUFFER_BYTES], out[BUFFER_BYTES];

void ws_setup(const char *host, int port, const char *path, int epoll_fd)
{
    epoll = epoll_fd;
    server.sin_family = AF_INET;
    server.sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, host, &server.sin_addr) != 1)
        fail("the host must be an IPv4 address");
    request_size = (size_t)snprintf(
        request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        path, host, port);
}

static void listen_for(uint32_t index, uint32_t events, int operation)
{
    struct epoll_event event = {.events = events, .data.u32 = index};
    if (epoll_ctl(epoll, operation, agents[index].fd, &event) < 0)
        fail("epoll_ctl");
}

void ws_close(uint32_t index)
{
    struct agent *agent = &agents[index];
    if (agent->state == CLOSED || agent->state == WAITING)
        return;
    if (agent->state != OPEN)
        opening--;
    else
        counters.opened--;
    close(agent->fd);
    free(agent->in);
    free(agent->out);
    agent->in = agent->out = NULL;
    agent->in_size = agent->out_size = 0;
    agent->state = CLOSED;
    agent->stream = 0;
}

static void try_again(uint32_t index, double wait_s)
{
    struct agent *agent = &agents[index];
    ws_close(index);
    agent->state = WAITING;
    agent->retry_at = now_s() + wait_s;
    waiting++;
}

/* Backoff as opamp-go has it: 0.5 s, half as much again each time, up to half more or less. */
static void lost(uint32_t index)
{
    struct agent *agent = &agents[index];
    counters.lost += agent->state == OPEN;
    if (!reconnects && agent->state == OPEN) {
        ws_close(index);
        return;
    }
    if (agent->backoff_s == 0)
        agent->backoff_s = FIRST_BACKOFF_S;
    try_again(index, agent->backoff_s * (0.5 + share()));
    agent->backoff_s *= 1.5;
    if (agent->backoff_s > LONGEST_BACKOFF_S)
        agent->backoff_s = LONGEST_BACKOFF_S;
}

void ws_connect(uint32_t index)
{
    struct agent *agent = &agents[index];
    int one = 1;
    agent->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (agent->fd < 0)
        fail("no socket for another agent (see ulimit -n)");
    setsockopt(agent->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    agent->state = CONNECTING;
    agent->began_at = now_s();
    opening++;
    listen_for(index, EPOLLOUT, EPOLL_CTL_ADD);
    if (connect(agent->fd, (struct sockaddr *)&server, sizeof server) < 0 && errno != EINPROGRESS)
        lost(index);
}

static void write_out(uint32_t index, const uint8_t *bytes, size_t size)
{
    struct agent *agent = &agents[index];
    ssize_t written = 0;
    if (!agent->out_size) {
        written = write(agent->fd, bytes, size);
        if (written < 0 && errno != EAGAIN) {
            lost(index);
            return;
        }
        if (written < 0)
            written = 0;
    }
    size_t left = size - (size_t)written;
    if (!left)
        return;
    agent->out = realloc(agent->out, agent->out_size + left);
    memcpy(agent->out + agent->out_size, bytes + written, left);
    agent->out_size += (uint32_t)left;
    listen_for(index, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void write_more(uint32_t index)
{
    struct agent *agent = &agents[index];
    ssize_t written = write(agent->fd, agent->out, agent->out_size);
    if (written < 0) {
        if (errno != EAGAIN)
            lost(index);
        return;
    }
    agent->out_size -= (uint32_t)written;
    memmove(agent->out, agent->out + written, agent->out_size);
    if (!agent->out_size)
        listen_for(index, EPOLLIN, EPOLL_CTL_MOD);
}

static void send_frame(uint32_t index, uint8_t opcode, const uint8_t *payload, size_t size)
{
    uint8_t *at = out;
    if (size + 14 > sizeof out)
        fail("a message is too long");
    *at++ = 0x80 | opcode;
    if (size < 126) {
        *at++ = (uint8_t)(0x80 | size);
    } else if (size < 65536) {
        *at++ = 0x80 | 126;
        *at++ = (uint8_t)(size >> 8);
        *at++ = (uint8_t)size;
    } else {
        *at++ = 0x80 | 127;
        for (int shift = 56; shift >= 0; shift -= 8)
            *at++ = (uint8_t)((uint64_t)size >> shift);
    }
    uint32_t half = (uint32_t)random64();
    uint64_t mask = (uint64_t)half << 32 | half;
    memcpy(at, &half, 4);
    at += 4;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, payload + i, 8);
        word ^= mask;
        memcpy(at + i, &word, 8);
    }
    for (; i < size; i++)
        at[i] = payload[i] ^ ((uint8_t *)&mask)[i & 7];
    write_out(index, out, (size_t)(at - out) + size);
}

void ws_send(uint32_t index, const uint8_t *message, size_t size)
{
    if (agents[index].state == OPEN)
        send_frame(index, 2, message, size);
}

/* Return the bytes of the head of the HTTP answer, or 0 while it is not complete. */
static size_t take_upgrade(uint32_t index, const uint8_t *bytes, size_t size)
{
    struct agent *agent = &agents[index];
    const char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end || size < 12)
        return 0;
    size_t head = (size_t)(end + 4 - (const char *)bytes);
    double took_s = now_s() - agent->began_at;
    if (took_s > counters.slowest_handshake_s)
        counters.slowest_handshake_s = took_s;
    if (memcmp(bytes + 9, "101", 3) != 0) {
        const char *after = memmem(bytes, head, "Retry-After: ", 13);
        counters.refused++;
        try_again(index, (after ? atof(after + 13) : 1.0) + share());
        return 0;
    }
    agent->state = OPEN;
    agent->backoff_s = 0;
    opening--;
    counters.opened++;
    on_upgraded(agent);
    return head;
}

/* Return the bytes of the first frame, or 0 while it is not complete. */
static size_t take_frame(uint32_t index, const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return 0;
    uint64_t length = bytes[1] & 0x7f;
    size_t head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (size < head)
        return 0;
    if (head > 2) {
        length = 0;
        for (size_t i = 2; i < head; i++)
            length = length << 8 | bytes[i];
    }
    if (size < head + length)
        return 0;
    uint8_t opcode = bytes[0] & 0x0f;
    if (opcode == 2)
        opamp_take(index, bytes + head, length);
    else if (opcode == 9)
        send_frame(index, 10, bytes + head, length);
    else if (opcode == 8)
        lost(index);
    return head + length;
}

static void take_bytes(uint32_t index)
{
    struct agent *agent = &agents[index];
    size_t size = agent->in_size, at = 0;
    if (size)
        memcpy(in, agent->in, size);
    ssize_t got = read(agent->fd, in + size, sizeof in - size);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            lost(index);
        return;
    }
    size += (size_t)got;
    while (at < size && (agent->state == UPGRADING || agent->state == OPEN)) {
        size_t taken = agent->state == OPEN ? take_frame(index, in + at, size - at)
                                            : take_upgrade(index, in + at, size - at);
        if (!taken)
            break;
        at += taken;
    }
    if (agent->state != UPGRADING && agent->state != OPEN)
        return;
    if (size - at > sizeof in / 2)
        fail("an answer is too long");
    agent->in_size = (uint32_t)(size - at);
    if (agent->in_size) {
        agent->in = realloc(agent->in, agent->in_size);
        memcpy(agent->in, in + at, agent->in_size);
    } else if (agent->in) {
        free(agent->in);
        agent->in = NULL;
    }
}

void ws_event(uint32_t index, uint32_t events)
{
    struct agent *agent = &agents[index];
    if (agent->state == CONNECTING) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            lost(index);
            return;
        }
        agent->state = UPGRADING;
        listen_for(index, EPOLLIN, EPOLL_CTL_MOD);
        write_out(index, (const uint8_t *)request, request_size);
        return;
    }
    if (events & EPOLLOUT)
        write_more(index);
    if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP))
        && (agent->state == UPGRADING || agent->state == OPEN))
        take_bytes(index);
}
