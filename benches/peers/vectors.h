// The widest vectors that the compiler may use: AVX-512, AVX, or what every x86-64 has.
#ifndef VECTORS_H
#define VECTORS_H
#if defined(__AVX512F__)
enum { VECTOR_BYTES = 64 };
#elif defined(__AVX__)
enum { VECTOR_BYTES = 32 };
#else
enum { VECTOR_BYTES = 16 };
#endif
#endif
