//===- Runtime.h - What compiled code calls -------------------*- C -*-===//
//
// The C interface of libPosencRuntime: everything that code compiled by posenc
// calls at run time, and the few knobs its host may turn. The library depends
// on libc and libomp only. It also has the mgpu functions that host code of GPU
// programs calls, declared by that code; Device.h says what is behind them.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_RUNTIME_H
#define POSENC_RUNTIME_H

#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define POSENC_NORETURN __attribute__((noreturn))
#else
#define POSENC_NORETURN
#endif

#ifdef __cplusplus
extern "C" {
#endif

/// Receives the message of a run-time error: one line, no trailing newline,
/// valid only during the call. A handler that wants to survive the error leaves
/// by longjmp: compiled frames have nothing to unwind. If it returns, the error
/// is reported as if there were no handler.
typedef void (*posenc_error_handler)(const char *message);

/// Installs `handler` (null: none) for the whole process and returns the one
/// that was installed before.
posenc_error_handler posenc_set_error_handler(posenc_error_handler handler);

/// Ends the running computation because of `message`. Calls the error handler
/// if there is one; otherwise prints `error: <message>` to stderr and ends the
/// process with exit status 1. Inside a parallel region no handler is called,
/// because nothing may jump out of a parallel region.
POSENC_NORETURN void posenc_fail(const char *message);

/// posenc_fail with "<what> <value> is out of range [0, <limit>)".
POSENC_NORETURN void posenc_fail_index(const char *what, int64_t value,
                                       int64_t limit);

/// Maps the safetensors file `path` into memory, read-only, once per process,
/// and returns its first byte; the mapping is never undone. Safe to call from
/// several threads. `size` is the size of the file in bytes and `header_hash`
/// the FNV-1a 64 hash of its length word and header (its first 8 + N bytes,
/// where the first 8 bytes hold N as a little-endian integer); a file that does
/// not match both, or cannot be opened, is a posenc_fail.
const void *posenc_weights(const char *path, int64_t size,
                           uint64_t header_hash);

/// Lends the memory that a call of compiled code needs, aligned to 64 bytes and not
/// initialised, until posenc_release. Each thread keeps what it has lent and lends
/// it again, grown when a call needs more; calls within calls get memory of their
/// own. What is lent when a computation fails is back at once. Memory that the
/// system refuses is a posenc_fail.
void *posenc_acquire(int64_t bytes);

/// Returns what the calling thread acquired last.
void posenc_release(void);

/// Sets the number of threads that compiled code uses when it is called from
/// the calling thread; `n` < 1 means one per processor.
void posenc_set_threads(int n);

/// The number of threads that compiled code called from this thread will use.
int posenc_threads(void);

/// The copy on the device of `bytes` bytes at `host`, which never change. Made
/// at the first call with these arguments, and kept.
void *posenc_device_constant(const void *host, int64_t bytes);

/// Releases all constants: when a program is unloaded, something else may come to
/// lie at the same addresses of the host. No program may be running.
void posenc_device_forget_constants(void);

/// The milliseconds between two events that a device recorded, both complete.
float posenc_event_elapsed(void *start, void *end);

/// What programs have on the device, apart from constants: how many buffers,
/// streams and events, and the bytes of the buffers.
void posenc_device_live(int64_t *objects, int64_t *bytes);

/// Releases all of that, when the program that owned it has failed.
void posenc_device_release(void);

#ifdef __cplusplus
}
#endif

#endif // POSENC_RUNTIME_H
