// What the two C peers share: sizes and rates, options, processes, the check file, the line of JSON.
#ifndef COMMON_H
#define COMMON_H
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vectors.h"

#ifndef REAL
#define REAL double
#endif
typedef REAL T;
enum { BITS = 8 * sizeof(T) };

static int d, n, l, k, m, B, iterations, runs, procs, n_test;
static double xi, eta_e, eta_r, init_e, init_r;

static double seconds_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}
static double now(void) { return seconds_of(CLOCK_MONOTONIC); }
static double processor_time(void) { return seconds_of(CLOCK_PROCESS_CPUTIME_ID); }

static void *zeros(size_t bytes) {
  bytes = (bytes + 127) / 64 * 64;
  return memset(aligned_alloc(64, bytes), 0, bytes);
}

// Random numbers: splitmix64 of a counter, so that loops vectorise.
typedef struct {
  uint64_t key, counter;
} Rng;

static inline uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
static inline uint64_t bits(Rng *g) { return mix(g->key + 0x9e3779b97f4a7c15ull * g->counter++); }

static inline T sign_of(int s) { return s % 2 ? -1 : 1; }

typedef struct {
  double accuracy, norm, active;
} Outcome;

// A peer has a model with its scratch space, and these:
typedef struct Model Model;
static Model *new_model(void);
static void put_weights(Model *q, const double *W, const double *w); // from [k][m][d] and [k][d]
static void get_weights(const Model *q, double *W, double *w);
static void put_batch(Model *q, const double *X, const double *y); // [B][n][d] and [B]
static double step(Model *q, long *active);                        // one SGD step; the mean loss
static void norms(const Model *q, double *out);                    // [k]
static Outcome run(Model *q, double *trace, uint64_t seed);        // trace: [iterations][k]
static const char *refuse(void);                                   // what is wrong with the sizes, or 0
static double products(Model *q);                                  // GFLOP/s of its matrix products alone; 0: it has none

static void read_all(void *to, size_t size, size_t count, FILE *f) {
  if (fread(to, size, count, f) != count) {
    fprintf(stderr, "the check file is too short\n");
    exit(1);
  }
}

// Trains on the batches of a file that batches.py wrote and writes losses, norms and weights beside it.
static void check(const char *path, const char *peer) {
  FILE *f = fopen(path, "rb");
  int sizes[7];
  double rates[2];
  if (!f)
    exit(1);
  read_all(sizes, 4, 7, f), read_all(rates, 8, 2, f);
  d = sizes[0], n = sizes[1], l = sizes[2], k = sizes[3], m = sizes[4], B = sizes[5], iterations = sizes[6];
  eta_e = rates[0], eta_r = rates[1];
  size_t nW = (size_t)k * m * d, nw = (size_t)k * d, nX = (size_t)B * n * d;
  double *W = malloc(8 * nW), *w = malloc(8 * nw), *X = malloc(8 * nX * iterations), *y = malloc(8 * B * iterations);
  double *loss = malloc(8 * iterations), *trace = malloc(8 * (size_t)iterations * k);
  read_all(W, 8, nW, f), read_all(w, 8, nw, f), read_all(X, 8, nX * iterations, f);
  read_all(y, 8, (size_t)B * iterations, f);
  fclose(f);
  Model *q = new_model();
  long active = 0;
  put_weights(q, W, w);
  for (int t = 0; t < iterations; t++) {
    put_batch(q, X + nX * t, y + (size_t)B * t);
    loss[t] = step(q, &active);
    norms(q, trace + (size_t)t * k);
  }
  get_weights(q, W, w);
  char out[4096];
  snprintf(out, sizeof out, "%s.%s_float%d", path, peer, BITS);
  if (!(f = fopen(out, "wb")))
    exit(1);
  fwrite(loss, 8, iterations, f), fwrite(trace, 8, (size_t)iterations * k, f);
  fwrite(W, 8, nW, f), fwrite(w, 8, nw, f);
  fclose(f);
}

// All runs, one after another in each of `procs` processes.
static int train(double start, const char *peer, const char *preset, uint64_t seed) {
  Outcome *out = mmap(0, sizeof(Outcome) * runs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int p = 0; p < procs; p++)
    if (!fork()) {
      Model *q = new_model();
      double *trace = malloc(8 * (size_t)iterations * k);
      for (int r = p; r < runs; r += procs) out[r] = run(q, trace, seed * 1000003 + r);
      _exit(0);
    }
  for (int p = 0, status; p < procs; p++)
    if (wait(&status) < 0 || status)
      return fprintf(stderr, "a worker failed\n"), 1;
  double s = now() - start, accuracy = 0, least = 1, norm = 0, active = 0;
  for (int r = 0; r < runs; r++) {
    accuracy += out[r].accuracy / runs, norm += out[r].norm / runs, active += out[r].active / runs;
    if (out[r].accuracy < least)
      least = out[r].accuracy;
  }
  printf("{\"peer\": \"%s\", \"preset\": \"%s\", \"dtype\": \"float%d\", \"xi\": %g, \"T\": %d, \"R\": %d, "
         "\"train_s\": %.3f, \"total_s\": %.3f, \"seed_iters_per_s\": %.1f, \"acc\": %.4f, \"acc_min\": %.4f, "
         "\"active\": %.3f, \"rnorm_end\": %.4f, \"note\": \"built for %d-bit vectors\"}\n",
         peer, preset, BITS, xi, iterations, runs, s, s, (double)iterations * runs / s, accuracy, least, active, norm,
         8 * VECTOR_BYTES);
  return 0;
}

// The rate of the matrix products alone, all processes together: `limits.c` measures what the processor could do.
static int time_products(const char *peer, const char *preset) {
  double *rates = mmap(0, sizeof(double) * procs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), sum = 0;
  for (int p = 0; p < procs; p++)
    if (!fork()) {
      rates[p] = products(new_model());
      _exit(0);
    }
  for (int p = 0, status; p < procs; p++)
    if (wait(&status) < 0 || status)
      return fprintf(stderr, "a worker failed\n"), 1;
  for (int p = 0; p < procs; p++) sum += rates[p];
  printf("{\"peer\": \"%s\", \"preset\": \"%s\", \"dtype\": \"float%d\", \"vector_bits\": %d, "
         "\"products_gflops\": %.1f}\n",
         peer, preset, BITS, 8 * VECTOR_BYTES, sum);
  return 0;
}

// name=value; the names are those of the Python peers. products=1 times the matrix products in place of trainings.
static int peer_main(int argc, char **argv, const char *peer, double noise) {
  enum { COUNT = 17 };
  static const char *names[COUNT] = {"d",      "n",  "l",     "k",     "m",      "B",      "T",    "R",       "procs",
                                     "n_test", "xi", "eta_e", "eta_r", "init_e", "init_r", "seed", "products"};
  double start = now(), *v;
  double reference[COUNT] = {128, 16, 4, 16, 32, 64, 500, 32, 2, 2048, noise, 1, 0.3, 0.05, 0.05, 1};
  double large[COUNT] = {512, 32, 8, 32, 64, 256, 200, 4, 2, 2048, noise, 8, 1, 0.05, 0.05, 1};
  const char *preset = "reference", *file = 0;
  for (int i = 1; i < argc; i++)
    if (!strcmp(argv[i], "preset=large"))
      preset = "large";
  v = strcmp(preset, "large") ? reference : large;
  for (int i = 1; i < argc; i++) {
    char *e = strchr(argv[i], '=');
    if (!e)
      return fprintf(stderr, "name=value expected: %s\n", argv[i]), 1;
    size_t length = e - argv[i];
    if (!strncmp(argv[i], "check=", 6))
      file = e + 1;
    for (int p = 0; p < COUNT; p++)
      if (strlen(names[p]) == length && !strncmp(argv[i], names[p], length))
        v[p] = atof(e + 1);
  }
  d = v[0], n = v[1], l = v[2], k = v[3], m = v[4], B = v[5], iterations = v[6], runs = v[7], procs = v[8];
  n_test = v[9], xi = v[10], eta_e = v[11], eta_r = v[12], init_e = v[13], init_r = v[14];
  if (file)
    return check(file, peer), 0;
  const char *problem = refuse();
  if (problem)
    return fprintf(stderr, "%s\n", problem), 1;
  return v[16] ? time_products(peer, preset) : train(start, peer, preset, v[15]);
}
#endif
