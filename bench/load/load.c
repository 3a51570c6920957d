/* A fleet of OpAMP agents over WebSocket, driven by lines on stdin; answers are JSON lines.
 *
 *   load HOST PORT PATH AGENTS FLEET CAPABILITIES FULL-TEMPLATE STATUS-TEMPLATE
 *
 *   connect N PARALLEL     bring N agents in; each sends its full report at once
 *   stream KIND RATE S     send heartbeats, status or changed messages for S seconds
 *   beat RATE              heartbeats in the background until RATE is 0
 *   watch                  set the counters to zero
 *   stats                  tell the counters
 *   reconnect 0|1          whether agents come back when their connection breaks
 *   close                  close all connections
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define STDIN_INDEX UINT32_MAX
#define RETRY_EVERY_S 0.01

struct stream {
    enum kind kind;
    double rate, began_at, until, cpu_before_s;
    uint64_t sent, answers;
    float *latencies_s;
    size_t latencies, room;
};

struct agent *agents;
struct counters counters;
uint32_t wanted, opening, waiting;
int reconnects;

static uint32_t limit, next_new, next_turn, parallel;
static struct stream streams[2]; /* the measured one, and the background */
static int is_connecting;
static double connect_began_at, upgraded_at, connect_cpu_s;
static uint64_t seed = 0x9e3779b97f4a7c15;

double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

double share(void)
{
    return (double)(random64() >> 11) / 9007199254740992.0;
}

void fail(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double cpu_s(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)used.ru_utime.tv_sec + (double)used.ru_utime.tv_usec * 1e-6
           + (double)used.ru_stime.tv_sec + (double)used.ru_stime.tv_usec * 1e-6;
}

void on_upgraded(struct agent *agent)
{
    agent->is_reported = 0;
    if (counters.opened == wanted)
        upgraded_at = now_s();
    opamp_send((uint32_t)(agent - agents), FULL);
}

void answered(struct agent *agent)
{
    counters.answers++;
    if (!agent->is_reported) {
        agent->is_reported = 1;
        counters.reported++;
        return;
    }
    if (!agent->stream)
        return;
    struct stream *stream = &streams[agent->stream - 1];
    agent->stream = 0;
    stream->answers++;
    if (stream->latencies == stream->room) {
        stream->room = stream->room ? stream->room * 2 : 65536;
        stream->latencies_s = realloc(stream->latencies_s, stream->room * sizeof(float));
    }
    stream->latencies_s[stream->latencies++] = (float)(now_s() - agent->sent_at);
}

static int compare(const void *left, const void *right)
{
    float difference = *(const float *)left - *(const float *)right;
    return (difference > 0) - (difference < 0);
}

static void tell_stream(struct stream *stream)
{
    size_t count = stream->latencies;
    qsort(stream->latencies_s, count, sizeof(float), compare);
    printf("{\"event\": \"stream\", \"sent\": %lu, \"answers\": %lu, \"elapsed_s\": %.6f, "
           "\"cpu_s\": %.6f, \"p50_s\": %.6f, \"p99_s\": %.6f}\n",
           stream->sent, stream->answers, now_s() - stream->began_at,
           cpu_s() - stream->cpu_before_s, count ? stream->latencies_s[count / 2] : 0.0,
           count ? stream->latencies_s[count * 99 / 100] : 0.0);
    stream->latencies = 0;
}

static void tell_stats(void)
{
    printf("{\"event\": \"stats\", \"opened\": %lu, \"reported\": %lu, \"refused\": %lu, "
           "\"lost\": %lu, \"errors\": %lu, \"full_asked\": %lu, \"answers\": %lu, "
           "\"configs\": %lu, \"beats\": %lu, \"slowest_handshake_s\": %.6f, \"cpu_s\": %.6f}\n",
           counters.opened, counters.reported, counters.refused, counters.lost, counters.errors,
           counters.full_asked, counters.answers, counters.configs, streams[1].sent,
           counters.slowest_handshake_s, cpu_s());
}

static void start_stream(struct stream *stream, enum kind kind, double rate, double seconds)
{
    stream->kind = kind;
    stream->rate = rate;
    stream->began_at = now_s();
    stream->until = stream->began_at + seconds;
    stream->sent = stream->answers = 0;
    stream->latencies = 0;
    stream->cpu_before_s = cpu_s();
}

static void obey(char *line)
{
    char name[16] = "";
    double first = 0, second = 0, third = 0;
    if (sscanf(line, "%15s %lf %lf %lf", name, &first, &second, &third) < 1)
        return;
    if (!strcmp(name, "connect")) {
        wanted = first < limit ? (uint32_t)first : limit;
        parallel = (uint32_t)second;
        is_connecting = 1;
        connect_began_at = upgraded_at = now_s();
        connect_cpu_s = cpu_s();
        return;
    }
    if (!strcmp(name, "stream")) {
        start_stream(&streams[0], (enum kind)first, second, third);
        return;
    }
    if (!strcmp(name, "stats")) {
        tell_stats();
        return;
    }
    if (!strcmp(name, "beat")) {
        start_stream(&streams[1], HEARTBEAT, first, 1e9);
    } else if (!strcmp(name, "watch")) {
        uint64_t opened = counters.opened;
        memset(&counters, 0, sizeof counters);
        counters.opened = opened;
    } else if (!strcmp(name, "reconnect")) {
        reconnects = first != 0;
    } else if (!strcmp(name, "close")) {
        for (uint32_t i = 0; i < next_new; i++)
            ws_close(i);
    }
    printf("{\"event\": \"ok\"}\n");
}

static void read_commands(void)
{
    static char text[4096];
    static size_t size;
    ssize_t got = read(0, text + size, sizeof text - 1 - size);
    if (got <= 0)
        exit(0);
    size += (size_t)got;
    text[size] = 0;
    char *line = text, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        obey(line);
        line = end + 1;
    }
    size = strlen(line);
    memmove(text, line, size + 1);
}

static void connect_more(void)
{
    while (next_new < wanted && opening < parallel)
        ws_connect(next_new++);
    if (!is_connecting || counters.reported < wanted || counters.opened < wanted)
        return;
    is_connecting = 0;
    printf("{\"event\": \"connected\", \"elapsed_s\": %.6f, \"upgraded_s\": %.6f, "
           "\"slowest_handshake_s\": %.6f, \"refused\": %lu, \"cpu_s\": %.6f}\n",
           now_s() - connect_began_at, upgraded_at - connect_began_at,
           counters.slowest_handshake_s, counters.refused, cpu_s() - connect_cpu_s);
}

static void retry(double now)
{
    static double last;
    if (!waiting || now - last < RETRY_EVERY_S)
        return;
    last = now;
    for (uint32_t i = 0; i < next_new; i++)
        if (agents[i].state == WAITING && agents[i].retry_at <= now && opening < parallel) {
            waiting--;
            ws_connect(i);
        }
}

static void send_due(struct stream *stream, uint8_t number, double now)
{
    if (stream->rate == 0)
        return;
    double until = now < stream->until ? now : stream->until;
    uint64_t due = (uint64_t)(stream->rate * (until - stream->began_at));
    for (uint32_t skipped = 0; stream->sent < due && skipped < next_new;) {
        struct agent *agent = &agents[next_turn];
        next_turn = next_turn + 1 >= next_new ? 0 : next_turn + 1;
        if (agent->state != OPEN || !agent->is_reported) {
            skipped++;
            continue;
        }
        agent->sent_at = now_s();
        agent->stream = number;
        opamp_send((uint32_t)(agent - agents), stream->kind);
        stream->sent++;
    }
    /* Half a second for the last answers. */
    if (now >= stream->until && (stream->answers >= stream->sent || now > stream->until + 0.5)) {
        stream->rate = 0;
        tell_stream(stream);
    }
}

int main(int argc, char **argv)
{
    if (argc != 9) {
        fprintf(stderr, "usage: load HOST PORT PATH AGENTS FLEET CAPABILITIES FULL STATUS\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    limit = (uint32_t)atoi(argv[4]);
    agents = calloc(limit, sizeof *agents);
    seed ^= strtoull(argv[5], NULL, 10) * 0xff51afd7ed558ccd;
    ws_setup(argv[1], atoi(argv[2]), argv[3], epoll);
    opamp_setup(argv[7], argv[8], strtoull(argv[6], NULL, 10), strtoull(argv[5], NULL, 10));
    struct epoll_event stdin_event = {.events = EPOLLIN, .data.u32 = STDIN_INDEX};
    fcntl(0, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &stdin_event) < 0)
        fail("stdin cannot be watched");
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (struct epoll_event events[512];;) {
        int is_busy = streams[0].rate || streams[1].rate || waiting || is_connecting;
        int count = epoll_wait(epoll, events, 512, is_busy ? 1 : 50);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == STDIN_INDEX)
                read_commands();
            else
                ws_event(events[i].data.u32, events[i].events);
        }
        double now = now_s();
        connect_more();
        retry(now);
        send_due(&streams[0], 1, now);
        send_due(&streams[1], 2, now);
    }
}
