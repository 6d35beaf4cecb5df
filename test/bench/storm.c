/*
 * Makes processes and reaps them as fast as it goes, until it is killed. `storm exec`: each begins a program, this one, which ends at
 * once; `storm fork`: each ends at once itself.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 2)
        return 0;
    int begins_program = strcmp(argv[1], "exec") == 0;
    for (;;) {
        pid_t child = vfork();
        if (child == 0) {
            if (begins_program)
                execl(argv[0], argv[0], (char *)0);
            _exit(0);
        }
        waitpid(child, 0, 0);
    }
}
