/* Messages of an agent, and what it does with an answer (OpAMP, AgentToServer and ServerToAgent).
 *
 * The parts of a report come from template files that the benchmark writes. In them "@@AGENT@" is
 * replaced by the agent's number and "##COUNT#" by a number that grows when a changed status is
 * wanted; both are eight digits, so that no length changes. */
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLACES 32
#define DIGITS 8

struct template {
    uint8_t *bytes;
    size_t size;
    size_t agent_at[MAX_PLACES], count_at[MAX_PLACES];
    int agent_places, count_places;
};

static struct template full, status;
static uint64_t capabilities, fleet, changes;
static uint8_t message[BUFFER_BYTES];

static int find_places(const struct template *found, const char *mark, size_t *at)
{
    int places = 0;
    for (size_t i = 0; i + DIGITS <= found->size; i++)
        if (memcmp(found->bytes + i, mark, DIGITS) == 0) {
            if (places == MAX_PLACES)
                fail("too many places to fill in a template");
            at[places++] = i;
        }
    return places;
}

static void read_template(struct template *into, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail(path);
    into->bytes = malloc(BUFFER_BYTES);
    into->size = fread(into->bytes, 1, BUFFER_BYTES / 2, file);
    fclose(file);
    into->agent_places = find_places(into, "@@AGENT@", into->agent_at);
    into->count_places = find_places(into, "##COUNT#", into->count_at);
}

void opamp_setup(const char *full_path, const char *status_path, uint64_t bits, uint64_t number)
{
    read_template(&full, full_path);
    read_template(&status, status_path);
    capabilities = bits;
    fleet = number;
}

static uint8_t *put_varint(uint8_t *at, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    return at;
}

static void put_digits(uint8_t *at, uint64_t value)
{
    for (int i = DIGITS - 1; i >= 0; i--, value /= 10)
        at[i] = (uint8_t)('0' + value % 10);
}

static uint8_t *put_template(uint8_t *at, const struct template *from, uint32_t index,
                             uint64_t count)
{
    memcpy(at, from->bytes, from->size);
    for (int i = 0; i < from->agent_places; i++)
        put_digits(at + from->agent_at[i], index);
    for (int i = 0; i < from->count_places; i++)
        put_digits(at + from->count_at[i], count);
    return at + from->size;
}

/* Header 0, instance_uid (version 7 in form), sequence_num, capabilities. */
static uint8_t *put_head(uint8_t *at, uint32_t index)
{
    struct agent *agent = &agents[index];
    *at++ = 0;
    *at++ = 0x0a;
    *at++ = 16;
    uint8_t uid[16] = {0x01, 0x9b, 0x76, 0xda, 0xa8, 0x00, 0x70, 0x00, 0x80};
    for (int i = 0; i < 3; i++)
        uid[9 + i] = (uint8_t)(fleet >> (16 - 8 * i));
    for (int i = 0; i < 4; i++)
        uid[12 + i] = (uint8_t)(index >> (24 - 8 * i));
    memcpy(at, uid, 16);
    at += 16;
    *at++ = 0x10;
    at = put_varint(at, agent->sequence_num++);
    *at++ = 0x20;
    return put_varint(at, capabilities);
}

/* AgentToServer.remote_config_status: the last hash, APPLIED. */
static uint8_t *put_applied(uint8_t *at, const struct agent *agent)
{
    *at++ = 0x3a;
    at = put_varint(at, 2 + (uint64_t)agent->hash_size + 2);
    *at++ = 0x0a;
    *at++ = agent->hash_size;
    memcpy(at, agent->hash, agent->hash_size);
    at += agent->hash_size;
    *at++ = 0x10;
    *at++ = 1;
    return at;
}

void opamp_send(uint32_t index, enum kind kind)
{
    struct agent *agent = &agents[index];
    uint8_t *at = put_head(message, index);
    if (kind == FULL)
        at = put_template(at, &full, index, 0);
    else if (kind == STATUS || kind == CHANGED)
        at = put_template(at, &status, index, kind == CHANGED ? ++changes : 0);
    if (kind != HEARTBEAT && agent->hash_size)
        at = put_applied(at, agent);
    ws_send(index, message, (size_t)(at - message));
}

static void send_applied(uint32_t index)
{
    ws_send(index, message, (size_t)(put_applied(put_head(message, index), &agents[index]) - message));
}

struct field {
    uint32_t number;
    uint64_t value;        /* of a varint, or the length of `bytes` */
    const uint8_t *bytes;  /* NULL for numbers */
};

static int get_varint(const uint8_t **at, const uint8_t *end, uint64_t *value)
{
    *value = 0;
    for (int shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return 1;
    }
    return 0;
}

static int next_field(const uint8_t **at, const uint8_t *end, struct field *field)
{
    uint64_t tag;
    if (*at >= end || !get_varint(at, end, &tag))
        return 0;
    field->number = (uint32_t)(tag >> 3);
    field->bytes = NULL;
    if ((tag & 7) == 0)
        return get_varint(at, end, &field->value);
    if ((tag & 7) != 2 || !get_varint(at, end, &field->value)
        || field->value > (uint64_t)(end - *at))
        return 0;
    field->bytes = *at;
    *at += field->value;
    return 1;
}

static void take_config(uint32_t index, const uint8_t *at, size_t size)
{
    struct agent *agent = &agents[index];
    const uint8_t *end = at + size;
    struct field field;
    while (next_field(&at, end, &field))
        if (field.number == 2 && field.bytes && field.value <= MAX_HASH) {
            agent->hash_size = (uint8_t)field.value;
            memcpy(agent->hash, field.bytes, field.value);
        }
    counters.configs++;
    send_applied(index);
}

void opamp_take(uint32_t index, const uint8_t *at, size_t size)
{
    const uint8_t *end = at + size;
    struct field field;
    int must_report = 0;
    if (!size || *at++ != 0) {
        counters.errors++;
        return;
    }
    answered(&agents[index]);
    while (next_field(&at, end, &field)) {
        if (field.number == 2)
            counters.errors++;
        else if (field.number == 3 && field.bytes)
            take_config(index, field.bytes, field.value);
        else if (field.number == 6 && (field.value & 1))
            must_report = 1;
    }
    if (must_report) {
        counters.full_asked++;
        opamp_send(index, FULL);
    }
}
