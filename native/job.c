#include "job.h"

static const struct job_kind *find(const struct job_kind *table, uint8_t kind)
{
	for (; table && table->kind; table++)
		if (table->kind == kind)
			return table;
	return NULL;
}

int job_serve(int fd, struct pool *pool)
{
	const struct job_kind *tables[] = {runtime_jobs, net_jobs, worker_jobs};
	struct request request = {0};
	struct err err = {0};

	if (request_read(fd, &request, &err) < 0) {
		answer_error(fd, -1, &err);
		return 1;
	}
	for (size_t i = 0; i < LENGTH(tables); i++) {
		const struct job_kind *kind = find(tables[i], request.kind);

		if (kind)
			return kind->run(
			    &(struct job){.fd = fd, .request = &request, .pool = pool});
	}
	err_set(&err, ENOSYS, "this program knows no job of kind %u", request.kind);
	answer_error(fd, -1, &err);
	request_free(&request);
	return 1;
}
