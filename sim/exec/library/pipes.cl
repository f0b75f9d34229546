// OpenCL C 3.0, 6.15.17 pipes. A pipe is a ring of packets with what it takes to share it, for each side: how many
// entries can be reserved, where the next reservation begins and up to where all are committed (positions that grow for
// ever), and by entry the reservation that began there last. Reservations may be committed in any order; what is
// committed shows itself in the order in which it was reserved. api/objects/pipe.cpp lays out the same memory.
//
// Reserving is adding and taking back, so that nothing is tried again: who finds too few entries has failed.

// What the engine is told (SluicePipeEvent of sim/exec/runtime.h).
enum { RESERVED, COMMITTED, WRONG_SIZE, WRONG_RESERVATION, WRONG_INDEX };
void __sluice_pipe(uint event, const global void* memory);

typedef struct {
  atomic_long left;   // entries that can be reserved
  atomic_ulong next;  // position of the next reservation
  atomic_ulong done;  // all before it are committed
  ulong unused;
} pipe_side;

typedef struct {
  uint packet_bytes, packets;
  ulong unused[3];
  pipe_side write, read;
  ulong unused_too[4];
  atomic_ulong states[];  // of reservations for writing, of those for reading; then the packets
} pipe_memory;

typedef global pipe_memory* pipe_pointer;
typedef private void* reservation;  // as the compiler passes a reserve_id_t
#define NO_RESERVATION ((reservation) ~0ul)  // CLK_NULL_RESERVE_ID

#define READING 1
#define WRITING 0
#define PIPE static __attribute__((always_inline))
#define SIDE(p, reading) ((reading) ? &(p)->read : &(p)->write)
#define STATE(p, reading, entry) (&(p)->states[((reading) ? (ulong)(p)->packets : 0) + (entry)])

// A state: committed or not, the turn of the ring, and how many entries. A reservation's name: how many, and the first.
#define COMMITTED_BIT (1ul << 63)
#define TURN(p, at) ((((at) / (p)->packets) & 0x7fffffff) << 32)
#define COUNT(word) ((uint)(word))
#define NAME(entry, count) ((ulong)(count) << 32 | (entry))

PIPE global char* packet(pipe_pointer p, ulong entry) {
  return (global char*)&p->states[2 * (ulong)p->packets] + entry % p->packets * p->packet_bytes;
}

PIPE bool fits(pipe_pointer p, uint bytes) {
  const bool same = p->packet_bytes == bytes;
  if (!same) __sluice_pipe(WRONG_SIZE, p);
  return same;
}

// The position of `count` entries that nobody else has; false: there are too few.
PIPE bool take(pipe_pointer p, bool reading, uint count, ulong* at) {
  global pipe_side* const side = SIDE(p, reading);
  if (count == 0 || count > p->packets) return false;
  if (atomic_fetch_sub(&side->left, (long)count) < (long)count) {
    atomic_fetch_add(&side->left, (long)count);
    return false;
  }
  *at = atomic_fetch_add(&side->next, (ulong)count);
  return true;
}

// Hands to the other side all that is committed without a gap.
PIPE void advance(pipe_pointer p, bool reading) {
  global pipe_side* const side = SIDE(p, reading);
  ulong at = atomic_load(&side->done);
  for (;;) {
    const ulong state = atomic_load(STATE(p, reading, at % p->packets));
    if (state - COUNT(state) != (COMMITTED_BIT | TURN(p, at))) return;
    ulong seen = at;
    if (atomic_compare_exchange_strong(&side->done, &seen, at + COUNT(state))) {
      atomic_fetch_add(&SIDE(p, !reading)->left, (long)COUNT(state));
      at += COUNT(state);
    } else {
      at = seen;
    }
  }
}

PIPE reservation reserve(pipe_pointer p, bool reading, uint count, uint bytes) {
  ulong at;
  if (!fits(p, bytes) || !take(p, reading, count, &at)) return NO_RESERVATION;
  const uint entry = at % p->packets;
  atomic_store(STATE(p, reading, entry), TURN(p, at) | count);
  __sluice_pipe(RESERVED, p);
  return (reservation)NAME(entry, count);
}

// Whether it is a reservation of this pipe and side that is not committed.
PIPE bool is_open(pipe_pointer p, bool reading, ulong name) {
  const uint entry = (uint)name, count = name >> 32;
  const bool possible = count != 0 && count <= p->packets && entry < p->packets;
  const ulong state = possible ? atomic_load(STATE(p, reading, entry)) : 0;
  const bool open = possible && (state & COMMITTED_BIT) == 0 && COUNT(state) == count;
  if (!open) __sluice_pipe(WRONG_RESERVATION, p);
  return open;
}

PIPE void commit(pipe_pointer p, bool reading, reservation reserved, uint bytes) {
  const ulong name = (ulong)reserved;
  if (!fits(p, bytes) || !is_open(p, reading, name)) return;
  atomic_fetch_or(STATE(p, reading, (uint)name), COMMITTED_BIT);
  __sluice_pipe(COMMITTED, p);
  advance(p, reading);
}

PIPE int use(pipe_pointer p, bool reading, reservation reserved, uint index, void* data, uint bytes) {
  const ulong name = (ulong)reserved;
  if (!fits(p, bytes) || !is_open(p, reading, name)) return -1;
  if (index >= name >> 32) {
    __sluice_pipe(WRONG_INDEX, p);
    return -1;
  }
  global char* const there = packet(p, (ulong)(uint)name + index);
  if (reading) {
    __builtin_memcpy(data, there, bytes);
  } else {
    __builtin_memcpy(there, data, bytes);
  }
  return 0;
}

PIPE int use_next(pipe_pointer p, bool reading, void* data, uint bytes) {
  ulong at;
  if (!fits(p, bytes) || !take(p, reading, 1, &at)) return -1;
  if (reading) {
    __builtin_memcpy(data, packet(p, at), bytes);
  } else {
    __builtin_memcpy(packet(p, at), data, bytes);
  }
  atomic_store(STATE(p, reading, at % p->packets), COMMITTED_BIT | TURN(p, at) | 1);
  advance(p, reading);
  return 0;
}

int __write_pipe_2(pipe_pointer p, void* data, uint bytes, uint align) {
  return use_next(p, WRITING, data, bytes);
}
int __read_pipe_2(pipe_pointer p, void* data, uint bytes, uint align) {
  return use_next(p, READING, data, bytes);
}
int __write_pipe_4(pipe_pointer p, reservation reserved, uint index, void* data, uint bytes, uint align) {
  return use(p, WRITING, reserved, index, data, bytes);
}
int __read_pipe_4(pipe_pointer p, reservation reserved, uint index, void* data, uint bytes, uint align) {
  return use(p, READING, reserved, index, data, bytes);
}

// Of a group or sub-group the first work-item reserves and commits.
#define FIRST_OF_GROUP (get_local_linear_id() == 0)
#define BY_GROUP ((private reservation*)__sluice_scratch())
#define RESERVATIONS(side, SIDE)                                                                              \
  reservation __reserve_##side##_pipe(pipe_pointer p, uint count, uint bytes, uint align) {                   \
    return reserve(p, SIDE, count, bytes);                                                                    \
  }                                                                                                           \
  void __commit_##side##_pipe(pipe_pointer p, reservation reserved, uint bytes, uint align) {                 \
    commit(p, SIDE, reserved, bytes);                                                                         \
  }                                                                                                           \
  reservation __work_group_reserve_##side##_pipe(pipe_pointer p, uint count, uint bytes, uint align) {        \
    __sluice_barrier(CLK_GLOBAL_MEM_FENCE);                                                                   \
    if (FIRST_OF_GROUP) *BY_GROUP = reserve(p, SIDE, count, bytes);                                           \
    __sluice_barrier(CLK_GLOBAL_MEM_FENCE);                                                                   \
    return *BY_GROUP;                                                                                         \
  }                                                                                                           \
  void __work_group_commit_##side##_pipe(pipe_pointer p, reservation reserved, uint bytes, uint align) {      \
    __sluice_barrier(CLK_GLOBAL_MEM_FENCE);                                                                   \
    if (FIRST_OF_GROUP) commit(p, SIDE, reserved, bytes);                                                     \
  }                                                                                                           \
  reservation __sub_group_reserve_##side##_pipe(pipe_pointer p, uint count, uint bytes, uint align) {         \
    ulong name = 0;                                                                                           \
    if (get_sub_group_local_id() == 0) name = (ulong)reserve(p, SIDE, count, bytes);                          \
    return (reservation)sub_group_broadcast(name, 0);                                                         \
  }                                                                                                           \
  void __sub_group_commit_##side##_pipe(pipe_pointer p, reservation reserved, uint bytes, uint align) {       \
    sub_group_barrier(CLK_GLOBAL_MEM_FENCE);                                                                  \
    if (get_sub_group_local_id() == 0) commit(p, SIDE, reserved, bytes);                                      \
  }
RESERVATIONS(write, WRITING)
RESERVATIONS(read, READING)

// SPIR-V may bring a null of the type.
FUNCTION bool is_valid_reserve_id(reserve_id_t reserved) {
  const ulong name = __builtin_astype(reserved, ulong);
  return name != 0 && name != ~0ul;
}

#define QUERIES(access)                                                           \
  uint __get_pipe_num_packets_##access(pipe_pointer p, uint bytes, uint align) {  \
    const long there = atomic_load(&p->read.left);                                \
    return there > 0 ? (uint)there : 0;                                           \
  }                                                                               \
  uint __get_pipe_max_packets_##access(pipe_pointer p, uint bytes, uint align) {  \
    return p->packets;                                                            \
  }
QUERIES(ro)
QUERIES(wo)
