#pragma once
/* SHA-256, FIPS 180-4. */
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
	uint32_t state[8];
	uint64_t size;     /* bytes so far */
	uint8_t block[64]; /* what is not a whole block yet */
	size_t used;
	void (*blocks)(uint32_t state[8], const uint8_t *data, size_t count);
};

void sha256_start(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[SHA256_SIZE]);

/* `count` blocks of 64 bytes, without instructions that not every processor has: for tests. */
void sha256_blocks_plain(uint32_t state[8], const uint8_t *data, size_t count);
