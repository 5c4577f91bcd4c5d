// Peer in C, pattern coordinates: no noise, so a token is a basis vector, <w, x_j> a look-up, sigma_j a table S[p][s]
// that is kept up to date, and a batch's gradient is summed by (pattern, expert) before it moves the m neurons.
//   cc -O3 -march=native -ffast-math -DREAL=double pattern.c -o pattern_f64 -lm      options: common.h
#include "common.h"

#define WIDE(t) _Generic((t)0, double: (int64_t)0, float: (int32_t)0)
typedef __typeof__(WIDE(REAL)) I; // as wide as T, so that values and indices share one mask
enum { LMAX = 16, KMAX = 64 };

// W [d][k][m]; w, S, C, U [d][k]; of a batch: J, G [B][l][k], f, y [B], ids [B][n]
struct Model {
  T *W, *w, *S, *C, *U, *y, *G, *f;
  I *J;
  int *ids;
};

static Model *new_model(void) {
  size_t cells = sizeof(T) * d * k, chosen = (size_t)B * l * k;
  Model *q = malloc(sizeof *q);
  *q = (Model){.W = zeros(cells * m),
               .w = zeros(cells),
               .S = zeros(cells),
               .C = zeros(cells),
               .U = zeros(cells),
               .y = zeros(sizeof(T) * B),
               .G = zeros(sizeof(T) * chosen),
               .f = zeros(sizeof(T) * B),
               .J = zeros(sizeof(I) * chosen),
               .ids = zeros(sizeof(int) * B * n)};
  return q;
}

static double normal(Rng *g) {
  double u = ((bits(g) >> 11) + 0.5) / 9007199254740992.0, v = (bits(g) >> 11) / 9007199254740992.0;
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static void batch(Rng *g, int *ids, T *y, int count) {
  for (int i = 0; i < count * n; i++) ids[i] = 2 + (int)((bits(g) >> 32) * (uint64_t)(d - 2) >> 32);
  for (int b = 0; b < count; b++) {
    uint64_t z = bits(g);
    int plus = z >> 63;
    y[b] = plus ? 1 : -1;
    ids[b * n + ((z & 0xffffffff) * n >> 32)] = plus ? 0 : 1;
  }
}

static void activation(Model *q, size_t cell) {
  T v = 0, *W = q->W + cell * m;
  for (int r = 0; r < m; r++) v += W[r] > 0 ? W[r] : 0;
  q->S[cell] = v / m;
}

// All experts of a sample at once: the inner loops run over s.
static void forward(Model *q, int count) {
  for (int b = 0; b < count; b++) {
    T top[LMAX][KMAX], z[KMAX], f = 0;
    I id[LMAX][KMAX];
    for (int j = 0; j < l; j++)
      for (int s = 0; s < k; s++) top[j][s] = -1e30, id[j][s] = 0;
    for (int j = n - 1; j >= 0; j--) { // insertion into the sorted list; backwards with >=: ties keep the token order
      I p = q->ids[b * n + j], c[KMAX];
      T v[KMAX];
      for (int s = 0; s < k; s++) v[s] = q->w[p * k + s], c[s] = p;
      for (int h = 0; h < l; h++)
        for (int s = 0; s < k; s++) {
          T a = top[h][s], x = v[s];
          I e = id[h][s], y = c[s];
          top[h][s] = x >= a ? x : a;
          id[h][s] = x >= a ? y : e;
          v[s] = x >= a ? a : x;
          c[s] = x >= a ? e : y;
        }
    }
    T *G = q->G + (size_t)b * l * k;
    I *J = q->J + (size_t)b * l * k;
    for (int s = 0; s < k; s++) z[s] = 0;
    for (int j = 0; j < l; j++)
      for (int s = 0; s < k; s++) {
        T e = sizeof(T) == 8 ? exp(top[j][s] - top[0][s]) : expf(top[j][s] - top[0][s]);
        G[j * k + s] = e;
        z[s] += e;
      }
    for (int s = 0; s < k; s++) z[s] = 1 / z[s];
    for (int j = 0; j < l; j++)
      for (int s = 0; s < k; s++) {
        G[j * k + s] *= z[s];
        J[j * k + s] = id[j][s];
        f += (s % 2 ? -1 : 1) * G[j * k + s] * q->S[id[j][s] * k + s];
      }
    q->f[b] = f;
  }
}

// Adds an active sample to C and U.
static void backward(Model *q, int b) {
  const T *G = q->G + (size_t)b * l * k;
  const I *J = q->J + (size_t)b * l * k;
  T bar[KMAX], yb = q->y[b] / B;
  for (int s = 0; s < k; s++) bar[s] = 0;
  for (int j = 0; j < l; j++)
    for (int s = 0; s < k; s++) bar[s] += G[j * k + s] * q->S[J[j * k + s] * k + s];
  for (int j = 0; j < l; j++)
    for (int s = 0; s < k; s++) {
      size_t cell = J[j * k + s] * k + s;
      T c = (s % 2 ? -yb : yb) * G[j * k + s];
      q->C[cell] += c;
      q->U[cell] += c * (q->S[cell] - bar[s]);
    }
}

static double step(Model *q, long *active) {
  double loss = 0;
  int on = 0;
  forward(q, B);
  for (int b = 0; b < B; b++) {
    double slack = 1 - q->y[b] * q->f[b];
    if (slack <= 0)
      continue;
    loss += slack;
    on++;
    backward(q, b);
  }
  *active += on;
  if (on)
    for (size_t cell = 0; cell < (size_t)d * k; cell++)
      if (q->C[cell] != 0 || q->U[cell] != 0) {
        T *W = q->W + cell * m, c = eta_e / m * q->C[cell];
        for (int r = 0; r < m; r++) W[r] += W[r] > 0 ? c : 0;
        activation(q, cell);
        q->w[cell] += eta_r * q->U[cell];
        q->C[cell] = q->U[cell] = 0;
      }
  return loss / B;
}

static void norms(const Model *q, double *out) {
  T z[KMAX] = {0};
  for (int i = 0; i < d; i++)
    for (int s = 0; s < k; s++) z[s] += q->w[i * k + s] * q->w[i * k + s];
  for (int s = 0; s < k; s++) out[s] = sqrt(z[s]);
}

static Outcome run(Model *q, double *trace, uint64_t seed) {
  Rng g = {seed * 0xd1342543de82ef95ull + 99, 0};
  long active = 0, good = 0;
  for (size_t i = 0; i < (size_t)d * k * m; i++) q->W[i] = init_e * normal(&g);
  for (int i = 0; i < d * k; i++) q->w[i] = init_r * normal(&g);
  for (size_t cell = 0; cell < (size_t)d * k; cell++) activation(q, cell);
  for (int t = 0; t < iterations; t++) {
    batch(&g, q->ids, q->y, B);
    step(q, &active);
    norms(q, trace + (size_t)t * k);
  }
  for (int s = 0; s < n_test; s += B) {
    int count = n_test - s < B ? n_test - s : B;
    batch(&g, q->ids, q->y, count);
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
      q->w[i * k + s] = w[s * d + i];
      for (int r = 0; r < m; r++) q->W[((size_t)i * k + s) * m + r] = W[((size_t)s * m + r) * d + i];
    }
  for (size_t cell = 0; cell < (size_t)d * k; cell++) activation(q, cell);
}

static void get_weights(const Model *q, double *W, double *w) {
  for (int s = 0; s < k; s++)
    for (int i = 0; i < d; i++) {
      w[s * d + i] = q->w[i * k + s];
      for (int r = 0; r < m; r++) W[((size_t)s * m + r) * d + i] = q->W[((size_t)i * k + s) * m + r];
    }
}

static void put_batch(Model *q, const double *X,
                      const double *y) { // noise-free: the pattern is the coordinate that is 1
  for (int i = 0; i < B * n; i++)
    for (int p = 0; p < d; p++)
      if (X[(size_t)i * d + p] > 0.5)
        q->ids[i] = p;
  for (int b = 0; b < B; b++) q->y[b] = y[b];
}

static const char *refuse(void) {
  if (xi != 0)
    return "pattern coordinates are for xi = 0";
  return l > LMAX || k > KMAX ? "l at most 16, k at most 64" : 0;
}

static double products(Model *q) { return (void)q, (void)processor_time, 0; }

int main(int argc, char **argv) { return peer_main(argc, argv, "c_pattern", 0); }
