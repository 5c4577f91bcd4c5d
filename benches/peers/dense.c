// Peer in C, dense: matrix products on tokens in ambient coordinates, with noise.
//   cc -O3 -march=native -ffast-math -DREAL=double dense.c -o dense_f64 -lm          options: common.h
// GCC's vector types keep the accumulators of the two product tiles in registers; everything else is plain loops.
#include "common.h"

// Tiles of MR rows (MC of a transposed product) by NR columns, RB rows a block. A tile's sums stay in registers: AVX-512
// has 32, all else 16.
#ifdef __AVX512F__
#define MR 8
enum { MC = 8 };
#else
#define MR 6
enum { MC = 4 };
#endif
enum { VL = VECTOR_BYTES / sizeof(T), NR = 2 * VL, RB = 64 };
typedef T V __attribute__((vector_size(VECTOR_BYTES)));
typedef T Vu __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T))));
#define LD(p) ((V) * (const Vu *)(p))
#define ST(p, v) (*(Vu *)(p) = (v))

static int mp, kp; // m and k, padded to a multiple of NR

static T *reals(size_t count) { return zeros(count * sizeof(T)); }

// C[MR][NR] = sum_i a[q][i] b[i][.]
static inline void tile_nn(const T *const *a, const T *b, int ldb, int K, T *c, int ldc) {
  V s[MR][2] = {0};
  const T *a0 = a[0], *a1 = a[1], *a2 = a[2], *a3 = a[3], *a4 = a[4], *a5 = a[5];
#if MR == 8
  const T *a6 = a[6], *a7 = a[7];
#endif
  for (int i = 0; i < K; i++) {
    V b0 = LD(b + (size_t)i * ldb), b1 = LD(b + (size_t)i * ldb + VL);
#define ROW(q)                                                                                                         \
  s[q][0] += a##q[i] * b0;                                                                                             \
  s[q][1] += a##q[i] * b1;
    ROW(0) ROW(1) ROW(2) ROW(3) ROW(4) ROW(5)
#if MR == 8
    ROW(6) ROW(7)
#endif
  }
  for (int q = 0; q < MR; q++) {
    ST(c + (size_t)q * ldc, s[q][0]);
    ST(c + (size_t)q * ldc + VL, s[q][1]);
  }
}

// C[MC][NR] += sum_r a[r][i0 + q] b[r][.]
static inline void tile_tn(const T *const *a, int i0, const T *b, int ldb, int rows, T *c, int ldc) {
  V s[MC][2] = {0};
  for (int r = 0; r < rows; r++) {
    const T *x = a[r] + i0;
    V b0 = LD(b + (size_t)r * ldb), b1 = LD(b + (size_t)r * ldb + VL);
    _Pragma("GCC unroll 8") for (int q = 0; q < MC; q++) {
      s[q][0] += x[q] * b0;
      s[q][1] += x[q] * b1;
    }
  }
  for (int q = 0; q < MC; q++) {
    T *row = c + (size_t)q * ldc;
    ST(row, LD(row) + s[q][0]);
    ST(row + VL, LD(row + VL) + s[q][1]);
  }
}

// c [rows][N] = a b; N a multiple of NR
static void gemm_nn(const T *const *a, int rows, const T *b, int N, int K, T *c) {
  T edge[MR * NR];
  for (int j = 0; j < N; j += NR) {
    int r = 0;
    for (; r + MR <= rows; r += MR) tile_nn(a + r, b + j, N, K, c + (size_t)r * N + j, N);
    if (r < rows) {
      const T *p[MR];
      for (int q = 0; q < MR; q++) p[q] = a[r + q < rows ? r + q : r];
      tile_nn(p, b + j, N, K, edge, NR);
      for (; r < rows; r++) memcpy(c + (size_t)r * N + j, edge + (r % MR) * NR, sizeof(T) * NR);
    }
  }
}

// c [d][N] += a^T b; d a multiple of MC
static void gemm_tn(const T *const *a, int rows, const T *b, int N, T *c) {
  for (int r = 0; r < rows; r += RB)
    for (int i = 0; i < d; i += MC)
      for (int j = 0; j < N; j += NR)
        tile_tn(a + r, i, b + (size_t)r * N + j, N, rows - r < RB ? rows - r : RB, c + (size_t)i * N + j, N);
}

#define F(fn, x) (sizeof(T) == 8 ? (T)fn(x) : (T)fn##f(x))
// Box-Muller with libmvec; cosines and sines in loops of their own: merged into sincos they do not vectorise.
static void normals(Rng *g, T *restrict out, size_t count, T scale) {
  enum { H = 256 };
  T t[2 * H], v[H];
  for (size_t p = 0; p < count; p += 2 * H, g->counter += H) {
    for (int i = 0; i < H; i++) {
      uint64_t z = mix(g->key + 0x9e3779b97f4a7c15ull * (g->counter + i));
      T u = ((int32_t)(z >> 33) + (T)0.5) * (T)(1.0 / 2147483648.0);
      v[i] = (int32_t)(z & 0x7fffffff) * (T)(6.283185307179586 / 2147483648.0);
      t[i] = t[H + i] = scale * F(sqrt, -2 * F(log, u));
    }
    for (int i = 0; i < H; i++) t[i] *= F(cos, v[i]);
    __asm__ volatile("" ::: "memory");
    for (int i = 0; i < H; i++) t[H + i] *= F(sin, v[i]);
    memcpy(out + p, t, sizeof(T) * (count - p < 2 * H ? count - p : 2 * H));
  }
}

static void batch(Rng *g, T *X, T *y, int count) {
  if (xi > 0)
    normals(g, X, (size_t)count * n * d, xi / sqrt(d));
  else
    memset(X, 0, sizeof(T) * count * n * d);
  for (int b = 0; b < count; b++) {
    y[b] = bits(g) >> 63 ? 1 : -1;
    int place = (bits(g) >> 32) * n >> 32;
    for (int j = 0; j < n; j++) {
      int id = j == place ? (y[b] > 0 ? 0 : 1) : 2 + (int)((bits(g) >> 32) * (uint64_t)(d - 2) >> 32);
      X[((size_t)b * n + j) * d + id] += 1;
    }
  }
}

// W is [k][d][mp], w is [d][kp]; the rest is scratch space
struct Model {
  T *W, *w, *dw, *X, *y, *scores, *H, *G, *sig, *bar, *f, *D;
  const T **rows, **all, **selected;
};

static Model *new_model(void) {
  size_t tokens = (size_t)B * n, chosen = (size_t)k * B * l;
  Model *q = malloc(sizeof *q);
  mp = (m + NR - 1) / NR * NR, kp = (k + NR - 1) / NR * NR;
  *q = (Model){.W = reals((size_t)k * d * mp),
               .w = reals((size_t)d * kp),
               .dw = reals(d),
               .X = reals(tokens * d),
               .y = reals(B),
               .scores = reals(tokens * kp),
               .H = reals(chosen * mp),
               .G = reals(chosen),
               .sig = reals(chosen),
               .bar = reals((size_t)k * B),
               .f = reals(B),
               .D = reals((size_t)B * l * mp),
               .rows = malloc(sizeof(T *) * chosen),
               .all = malloc(sizeof(T *) * tokens),
               .selected = malloc(sizeof(T *) * B * l)};
  return q;
}

// The l largest scores of each sample, in order, ties to the smaller index; their gates and rows.
static void choose(Model *q, int s, int count) {
  T *G = q->G + (size_t)s * B * l;
  for (int b = 0; b < count; b++) {
    T top[64], z = 0;
    int id[64], c = 0;
    for (int j = 0; j < n; j++) {
      T v = q->scores[((size_t)b * n + j) * kp + s];
      if (c == l && !(v > top[l - 1]))
        continue;
      int p = c < l ? c++ : l - 1;
      for (; p > 0 && v > top[p - 1]; p--) top[p] = top[p - 1], id[p] = id[p - 1];
      top[p] = v, id[p] = j;
    }
    for (int j = 0; j < l; j++) {
      G[b * l + j] = exp(top[j] - top[0]);
      z += G[b * l + j];
    }
    for (int j = 0; j < l; j++) {
      G[b * l + j] /= z;
      q->rows[(size_t)s * B * l + b * l + j] = q->X + ((size_t)b * n + id[j]) * d;
    }
  }
}

static void forward(Model *q, int count) {
  for (int r = 0; r < count * n; r++) q->all[r] = q->X + (size_t)r * d;
  gemm_nn(q->all, count * n, q->w, kp, d, q->scores);
  memset(q->f, 0, sizeof(T) * count);
  for (int s = 0; s < k; s++) {
    size_t first = (size_t)s * B * l;
    T *H = q->H + first * mp, *G = q->G + first, *sig = q->sig + first;
    choose(q, s, count);
    gemm_nn(q->rows + first, count * l, q->W + (size_t)s * d * mp, mp, d, H);
    for (int r = 0; r < count * l; r++) {
      T v = 0;
      for (int c = 0; c < mp; c++) {
        T h = H[(size_t)r * mp + c];
        v += h > 0 ? h : 0;
      }
      sig[r] = v / m;
    }
    for (int b = 0; b < count; b++) {
      T v = 0;
      for (int j = 0; j < l; j++) v += G[b * l + j] * sig[b * l + j];
      q->bar[(size_t)s * B + b] = v;
      q->f[b] += sign_of(s) * v;
    }
  }
}

static double step(Model *q, long *active) {
  int on[B], count = 0;
  double loss = 0;
  forward(q, B);
  for (int b = 0; b < B; b++) {
    double slack = 1 - q->y[b] * q->f[b];
    if (slack > 0)
      on[count++] = b, loss += slack;
  }
  *active += count;
  if (count == 0)
    return 0;
  for (int s = 0; s < k; s++) {
    memset(q->dw, 0, sizeof(T) * d);
    for (int p = 0; p < count; p++)
      for (int j = 0; j < l; j++) {
        int b = on[p];
        size_t r = (size_t)s * B * l + b * l + j;
        const T *x = q->rows[r], *H = q->H + r * mp;
        T c = q->y[b] * sign_of(s) / B * q->G[r], e = eta_e / m * c;
        T u = eta_r * c * (q->sig[r] - q->bar[(size_t)s * B + b]);
        T *D = q->D + (size_t)(p * l + j) * mp;
        q->selected[p * l + j] = x;
        for (int i = 0; i < mp; i++) D[i] = H[i] > 0 ? e : 0;
        for (int i = 0; i < d; i++) q->dw[i] += u * x[i];
      }
    gemm_tn(q->selected, count * l, q->D, mp, q->W + (size_t)s * d * mp);
    for (int i = 0; i < d; i++) q->w[(size_t)i * kp + s] += q->dw[i];
  }
  return loss / B;
}

static void norms(const Model *q, double *out) {
  T z[kp];
  memset(z, 0, sizeof z);
  for (int i = 0; i < d; i++)
    for (int s = 0; s < k; s++) z[s] += q->w[(size_t)i * kp + s] * q->w[(size_t)i * kp + s];
  for (int s = 0; s < k; s++) out[s] = sqrt(z[s]);
}

static Outcome run(Model *q, double *trace, uint64_t seed) {
  Rng g = {mix(seed * 0x9e3779b97f4a7c15ull + 12345), 0};
  long active = 0, good = 0;
  T *z = reals((size_t)d * m);
  for (int s = 0; s < k; s++) {
    normals(&g, z, (size_t)d * m, init_e);
    for (int i = 0; i < d; i++)
      for (int r = 0; r < m; r++) q->W[((size_t)s * d + i) * mp + r] = z[(size_t)i * m + r];
    normals(&g, z, d, init_r);
    for (int i = 0; i < d; i++) q->w[(size_t)i * kp + s] = z[i];
  }
  free(z);
  for (int t = 0; t < iterations; t++) {
    batch(&g, q->X, q->y, B);
    step(q, &active);
    norms(q, trace + (size_t)t * k);
  }
  for (int s = 0; s < n_test; s += B) {
    int count = n_test - s < B ? n_test - s : B;
    batch(&g, q->X, q->y, count);
    forward(q, count);
    for (int b = 0; b < count; b++) good += q->y[b] * q->f[b] > 0;
  }
  Outcome out = {(double)good / n_test, 0, (double)active / ((double)iterations * B)};
  for (int s = 0; s < k; s++) out.norm += trace[(size_t)(iterations - 1) * k + s] / k;
  return out;
}

static void put_weights(Model *q, const double *W, const double *w) {
  for (int s = 0; s < k; s++)
    for (int i = 0; i < d; i++) {
      q->w[(size_t)i * kp + s] = w[(size_t)s * d + i];
      for (int r = 0; r < m; r++) q->W[((size_t)s * d + i) * mp + r] = W[((size_t)s * m + r) * d + i];
    }
}

static void get_weights(const Model *q, double *W, double *w) {
  for (int s = 0; s < k; s++)
    for (int i = 0; i < d; i++) {
      w[(size_t)s * d + i] = q->w[(size_t)i * kp + s];
      for (int r = 0; r < m; r++) W[((size_t)s * m + r) * d + i] = q->W[((size_t)s * d + i) * mp + r];
    }
}

static void put_batch(Model *q, const double *X, const double *y) {
  for (size_t i = 0; i < (size_t)B * n * d; i++) q->X[i] = X[i];
  for (int b = 0; b < B; b++) q->y[b] = y[b];
}

static const char *refuse(void) { return d % 8 || l > 64 ? "d must be a multiple of 8 and l at most 64" : 0; }

// Forward and backward products of all experts with every sample active; the best of some passes.
static double products(Model *q) {
  Rng g = {1, 0};
  double best = 1e9;
  normals(&g, q->X, (size_t)B * n * d, 1);
  for (int r = 0; r < k * B * l; r++) q->rows[r] = q->X + (size_t)(r % (B * n)) * d;
  for (double end = processor_time() + 0.5; processor_time() < end;) {
    double start = processor_time(), seconds;
    for (int s = 0; s < k; s++) { // the gradients are 0, so the weights stay
      T *W = q->W + (size_t)s * d * mp;
      gemm_nn(q->rows + (size_t)s * B * l, B * l, W, mp, d, q->H + (size_t)s * B * l * mp);
      gemm_tn(q->rows + (size_t)s * B * l, B * l, q->D, mp, W);
    }
    if ((seconds = processor_time() - start) < best)
      best = seconds;
  }
  return 4.0 * k * B * l * d * m / best / 1e9;
}

int main(int argc, char **argv) { return peer_main(argc, argv, "c_dense", 0.1); }
