/*
 * The native side of Slipway: everything that has to call the kernel in ways Node cannot. One
 * program in several roles; the daemon starts the spawner, which forks a process for each job.
 */
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "rootless.h"
#include "spawner.h"

int main(int argc, char **argv)
{
	if (argc > 0)
		arguments_keep(argc, argv);
	if (argc == 3 && strcmp(argv[1], "spawner") == 0)
		return spawner_main(argv[0], argv[2]);
	if ((argc == 2 || argc == 3) && strcmp(argv[1], "job") == 0)
		return job_main(argv);
	if (argc >= 4 && strcmp(argv[1], "rootless") == 0)
		return rootless_main(argv + 2);
	fprintf(stderr,
		"usage: %s spawner SOCKET | job [DESCRIPTORS] | rootless DIRECTORY PROGRAM "
		"ARGUMENT...\n",
		argv[0]);
	return 2;
}
