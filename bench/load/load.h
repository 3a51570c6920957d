/* A fleet of OpAMP agents over WebSocket in one thread: shared declarations. See README.md. */
#ifndef LOAD_H
#define LOAD_H

#include <stddef.h>
#include <stdint.h>

#define MAX_HASH 64
#define BUFFER_BYTES (1 << 20)
#define ADDRESS_CHARS 64

enum state { CLOSED, WAITING, CONNECTING, UPGRADING, OPEN };
enum kind { HEARTBEAT, STATUS, CHANGED, FULL };

struct agent {
    int fd;
    uint8_t state;
    uint8_t is_reported;  /* the first full report was answered */
    uint8_t stream;       /* which stream waits for an answer, plus one; 0: none */
    uint8_t hash_size;
    uint8_t hash[MAX_HASH];
    uint64_t sequence_num;
    double began_at;      /* of the present handshake */
    double sent_at;
    double retry_at;
    double backoff_s;
    uint8_t *in;
    uint8_t *out;
    uint32_t in_size;
    uint32_t out_size;
};

/* Counters since the last `watch` or since the start. */
struct counters {
    uint64_t opened, reported, refused, lost, errors, full_asked, answers, configs;
    double slowest_handshake_s;
};

extern struct agent *agents;
extern struct counters counters;
extern uint32_t wanted;    /* how many agents should be connected */
extern uint32_t opening;   /* handshakes under way */
extern uint32_t waiting;   /* agents whose retry_at is to come */
extern int reconnects;     /* whether agents come back by themselves */

/* load.c */
double now_s(void);
double share(void);                  /* a random number from 0 to 1 */
uint64_t random64(void);
void fail(const char *what);
void answered(struct agent *agent);
void on_upgraded(struct agent *agent);

/* ws.c */
void ws_setup(const char *host, int port, const char *path, int epoll);
void ws_connect(uint32_t index);
void ws_event(uint32_t index, uint32_t events);
void ws_send(uint32_t index, const uint8_t *message, size_t size);
void ws_close(uint32_t index);

/* opamp.c */
void opamp_setup(const char *full_path, const char *status_path, uint64_t capabilities,
                 uint64_t fleet);
void opamp_send(uint32_t index, enum kind kind);
void opamp_take(uint32_t index, const uint8_t *message, size_t size);

#endif
