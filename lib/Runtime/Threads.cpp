//===- Threads.cpp - How many threads compiled code uses ------------------===//

#include "posenc/Runtime.h"

#include <omp.h>

void posenc_set_threads(int n) {
  omp_set_num_threads(n < 1 ? omp_get_num_procs() : n);
}

int posenc_threads(void) { return omp_get_max_threads(); }
