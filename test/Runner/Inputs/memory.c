// Calls the object of memory.mlir from several threads, with lengths that change
// and positions that are refused now and then.

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { void *base, *data; int64_t offset, sizes[2], strides[2]; } Matrix;
typedef struct { void *base, *data; int64_t offset, sizes[1], strides[1]; } Vector;
typedef struct { void *base, *data; int64_t offset, sizes[3], strides[3]; } Batch;

void _mlir_ciface_f(Batch *result, Batch *x, Vector *at, Matrix *w, Matrix *table);
void *posenc_acquire(int64_t bytes);
void posenc_release(void);
typedef void (*Handler)(const char *);
Handler posenc_set_error_handler(Handler handler);

// The linker sends here what the object allocates, and only that.
static atomic_int allocations;
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size) {
  ++allocations;
  return __real_malloc(size);
}

static _Thread_local jmp_buf frame;
static _Thread_local char message[128];
static void leave(const char *text) {
  strncpy(message, text, sizeof(message) - 1);
  longjmp(frame, 1);
}

enum { LONGEST = 64, WIDTH = 16, CALLS = 300 };
static float w[WIDTH * WIDTH], table[8 * WIDTH];

static Matrix matrix(float *data, int64_t rows) {
  return (Matrix){data, data, 0, {rows, WIDTH}, {WIDTH, 1}};
}

// The number of wrong elements of a call; -1 if it fails.
static int call(int64_t rows, int seed, int64_t position) {
  float x[LONGEST * WIDTH];
  int64_t at[LONGEST];
  for (int i = 0; i < rows * WIDTH; ++i)
    x[i] = (i * 7 + seed) % 31;
  for (int i = 0; i < rows; ++i)
    at[i] = i == rows / 2 ? position : (i + seed) % 8;
  Batch result, mx = {x, x, 0, {1, rows, WIDTH}, {rows * WIDTH, WIDTH, 1}};
  Matrix mw = matrix(w, WIDTH), mt = matrix(table, 8);
  Vector positions = {at, at, 0, {rows}, {1}};
  if (setjmp(frame))
    return -1;
  _mlir_ciface_f(&result, &mx, &positions, &mw, &mt);
  int wrong = 0;
  for (int i = 0; i < rows * WIDTH; ++i)
    wrong += ((float *)result.data)[i] != 4 * x[i] + 2 * at[i / WIDTH];
  free(result.base);
  return wrong;
}

static void *work(void *seed) {
  intptr_t wrong = 0;
  for (int i = 0; i < CALLS; ++i) {
    int refused = i % 7 == 3;
    int result = call(1 + (i * 13 + *(int *)seed) % LONGEST, i, refused ? 9 : 5);
    wrong += refused ? result != -1 : result;
  }
  return (void *)wrong;
}

int main(void) {
  for (int i = 0; i < WIDTH; ++i)
    w[i * WIDTH + i] = 2;
  for (int i = 0; i < 8 * WIDTH; ++i)
    table[i] = i / WIDTH;
  posenc_set_error_handler(leave);

  call(LONGEST, 0, 0);
  allocations = 0;
  for (int i = 0; i < 10; ++i)
    call(20 + i, i, 0);
  printf("allocations per call: %d\n", allocations / 10);

  enum { THREADS = 4 };
  pthread_t threads[THREADS];
  int seeds[THREADS];
  intptr_t wrong = 0;
  for (int i = 0; i < THREADS; ++i) {
    seeds[i] = i * 17;
    pthread_create(&threads[i], NULL, work, &seeds[i]);
  }
  for (int i = 0; i < THREADS; ++i) {
    void *result;
    pthread_join(threads[i], &result);
    wrong += (intptr_t)result;
  }
  printf("wrong results of %d threads: %d\n", THREADS, (int)wrong);
  void *before = posenc_acquire(1);
  posenc_release();
  call(8, 0, 9);
  printf("refused: %s\n", message);
  printf("its memory is %s\n", posenc_acquire(1) == before ? "back" : "lost");
  if (!setjmp(frame))
    posenc_acquire(INT64_MAX);
  printf("refused: %s\n", message);
  return 0;
}
