// Machine limits that no BLAS shows: peak of multiply-adds (fused where the processor can), triad bandwidth, random-normal
// rate.
// cc -O3 -march=native -ffast-math limits.c -o limits -lm ; ./limits [procs]
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vectors.h"

static double now(void) { // processor time: what others take meanwhile does not count
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

typedef double vd __attribute__((vector_size(VECTOR_BYTES)));
typedef float vf __attribute__((vector_size(VECTOR_BYTES)));

#define FMA_PEAK(NAME, V, LANES)                                                                                       \
  static double NAME(void) {                                                                                           \
    V a[12];                                                                                                           \
    V m, c;                                                                                                            \
    for (int i = 0; i < LANES; i++) {                                                                                  \
      m[i] = 0.999999;                                                                                                 \
      c[i] = 1e-6;                                                                                                     \
    }                                                                                                                  \
    for (int q = 0; q < 12; q++) a[q] = m;                                                                             \
    const long it = 60000000;                                                                                          \
    double t = now();                                                                                                  \
    for (long i = 0; i < it; i++) {                                                                                    \
      _Pragma("GCC unroll 12") for (int q = 0; q < 12; q++) a[q] = a[q] * m + c;                                       \
      __asm__ volatile("" : "+v"(m));                                                                                  \
    }                                                                                                                  \
    t = now() - t;                                                                                                     \
    for (int q = 1; q < 12; q++) a[0] += a[q];                                                                         \
    volatile double sink = a[0][0];                                                                                    \
    (void)sink;                                                                                                        \
    return 2.0 * LANES * 12 * it / t / 1e9;                                                                            \
  }
FMA_PEAK(fma64, vd, VECTOR_BYTES / 8)
FMA_PEAK(fma32, vf, VECTOR_BYTES / 4)

static double triad(size_t n, int reps) { // GB/s of a = b + s*c, 24 bytes an element
  double *a = aligned_alloc(64, n * 8), *b = aligned_alloc(64, n * 8), *c = aligned_alloc(64, n * 8);
  for (size_t i = 0; i < n; i++) {
    a[i] = 0;
    b[i] = 1;
    c[i] = 2;
  }
  double best = 1e9;
  for (int r = 0; r < 6; r++) {
    double t = now();
    for (int k = 0; k < reps; k++) {
      for (size_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
      __asm__ volatile("" ::: "memory");
    }
    t = now() - t;
    if (t < best)
      best = t;
  }
  volatile double sink = a[n / 2];
  (void)sink;
  free(a);
  free(b);
  free(c);
  return 24.0 * n * reps / best / 1e9;
}

static inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
#define NORMALS(NAME, T, LOG, SQRT, COS, SIN)                                                                          \
  static double NAME(void) { /* Box-Muller with libmvec, M normals/s */                                                \
    enum { H = 256 };                                                                                                  \
    static T o[2 * H], v[H];                                                                                           \
    uint64_t ctr = 1;                                                                                                  \
    double best = 1e9;                                                                                                 \
    for (int r = 0; r < 5; r++) {                                                                                      \
      double t = now();                                                                                                \
      for (int k = 0; k < 8000; k++, ctr += H) {                                                                       \
        for (int i = 0; i < H; i++) {                                                                                  \
          uint64_t z = mix((ctr + i) * 0x9e3779b97f4a7c15ull);                                                         \
          T u = ((int32_t)(z >> 33) + (T)0.5) * (T)(1.0 / 2147483648.0);                                               \
          v[i] = (int32_t)(z & 0x7fffffff) * (T)(6.283185307179586 / 2147483648.0);                                    \
          o[i] = o[H + i] = SQRT(-2 * LOG(u));                                                                         \
        }                                                                                                              \
        for (int i = 0; i < H; i++) o[i] *= COS(v[i]);                                                                 \
        __asm__ volatile("" ::: "memory"); /* or cos and sin merge and do not vectorise */                             \
        for (int i = 0; i < H; i++) o[H + i] *= SIN(v[i]);                                                             \
        __asm__ volatile("" ::"r"(o) : "memory");                                                                      \
      }                                                                                                                \
      t = now() - t;                                                                                                   \
      if (t < best)                                                                                                    \
        best = t;                                                                                                      \
    }                                                                                                                  \
    return 8000.0 * 2 * H / best / 1e6;                                                                                \
  }
NORMALS(norm64, double, log, sqrt, cos, sin)
NORMALS(norm32, float, logf, sqrtf, cosf, sinf)

int main(int argc, char **argv) {
  int procs = argc > 1 ? atoi(argv[1]) : 1;
  double sum[8] = {0};
  int fd[2];
  if (pipe(fd))
    return 1;
  for (int p = 0; p < procs; p++)
    if (!fork()) {
      double r[8] = {fma64(), fma32(), triad(16u << 20, 1), triad(20000, 400), triad(1000, 20000), norm64(), norm32()};
      if (write(fd[1], r, sizeof r) != sizeof r)
        _exit(1);
      _exit(0);
    }
  for (int p = 0; p < procs; p++) {
    double r[8];
    if (read(fd[0], r, sizeof r) != sizeof r)
      return 1;
    for (int i = 0; i < 8; i++) sum[i] += r[i];
  }
  while (wait(0) > 0);
  printf("{\"procs\":%d,\"fma_f64_gflops\":%.1f,\"fma_f32_gflops\":%.1f,\"triad_dram_gbs\":%.1f,\"triad_l2_gbs\":%.1f,"
         "\"triad_l1_gbs\":%.1f,\"normals_f64_M\":%.0f,\"normals_f32_M\":%.0f}\n",
         procs, sum[0], sum[1], sum[2], sum[3], sum[4], sum[5], sum[6]);
}
