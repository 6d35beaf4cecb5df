/* Forks, executes and reaps as fast as it goes until it is killed; as its own child (with an argument) it ends at once. */
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc > 1)
        _exit(0);
    for (;;) {
        pid_t child = vfork();
        if (child == 0) {
            execl(argv[0], argv[0], "child", (char *)0);
            _exit(1);
        }
        waitpid(child, 0, 0);
    }
}
