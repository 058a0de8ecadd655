/* The jobs that work on files, by kind: engine/native/workers.ts sends them. */
#include "changes.h"
#include "copy.h"
#include "files.h"
#include "recipe.h"
#include "scan.h"
#include "sha256.h"
#include "tar.h"
#include "tree.h"
#include "untar.h"
#include "walk.h"

enum { OP_UNTAR = 301 };

static int refuse(const struct job *job, const struct err *err)
{
	answer_error(job->fd, -1, err);
	return -1;
}

/* OP_UNTAR: overlay | keep kinds | keep links | concatenated | own | uid | gid | path | list of
 * patterns | entry limit | byte limit | recipe */
static int run_untar(struct job *job, struct untar_result *result, struct sha256 *hash,
		     struct recipe *recipe, struct err *err)
{
	const struct request *request = job->request;
	struct untar_options options = {0};
	struct source source;

	if (request->count != 2 || request->ops[1].code != OP_UNTAR)
		return err_set(err, EBADMSG, "untar has a tree and its options"), refuse(job, err);
	struct args args = args_of(&request->ops[1]);
	options.overlay = args_number(&args);
	options.keep_kinds = args_number(&args);
	options.keep_links = args_number(&args);
	options.concatenated = args_number(&args);
	options.own = args_number(&args);
	options.uid = (uint32_t)args_number(&args);
	options.gid = (uint32_t)args_number(&args);
	const char *path = args_string(&args);
	options.exclude = args_list(&args, &options.exclude_count);
	options.entry_limit = args_number(&args);
	options.byte_limit = args_number(&args);
	bool has_recipe = args_number(&args);
	if (source_open(&source, job->fd, err) < 0 ||
	    (has_recipe && recipe_open(recipe, job->fd, err) < 0))
		return refuse(job, err);
	source.recipe = has_recipe ? recipe : NULL;
	/* A layer is known by the digest of its archive. */
	source.hash = options.overlay ? hash : NULL;
	int done = args_end(&args, err);
	AUTO_CLOSE int root = done < 0 ? -1 : tree_open(&request->ops[0], err);
	AUTO_CLOSE int top = root < 0 ? -1 : files_make(root, path, err);
	done = top < 0 ? -1 : untar(&source, top, &options, result, err);
	if (done == 0 && has_recipe)
		done = recipe_end(recipe, err);
	if (done < 0) {
		struct err ignored = {0};

		/* The sender reads the answer sooner than it learns that nobody reads its stream.
		 */
		answer_error(job->fd, 1, err);
		source.recipe = NULL;
		source.hash = NULL;
		source_drain(&source, &ignored);
	}
	source_close(&source);
	return done;
}

static int job_untar(struct job *job)
{
	struct untar_result result = {0};
	struct err err = {0};
	struct recipe recipe = {0};
	struct sha256 hash;
	uint8_t answer[24 + SHA256_SIZE];

	sha256_start(&hash);
	int done = run_untar(job, &result, &hash, &recipe, &err);
	recipe_close(&recipe);
	if (done < 0)
		return 1;
	put_u64(answer, result.entries);
	put_u64(answer + 8, result.bytes);
	put_u64(answer + 16, result.archive);
	sha256_end(&hash, answer + 24);
	answer_ok(job->fd, answer, sizeof answer);
	return 0;
}

const struct job_kind worker_jobs[] = {
    {32, job_untar},  {33, job_tar},     {34, job_walk},   {35, job_stat},     {36, job_read},
    {37, job_write},  {38, job_mkdir},   {39, job_remove}, {40, job_copy},     {41, job_changes},
    {42, job_spread}, {43, job_rebuild}, {50, job_scan},   {51, job_identify}, {0},
};
