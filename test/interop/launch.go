package interop

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"
)

// launched is a node as a process.
type launched struct {
	*exec.Cmd

	// log is the file that all it says goes to.
	log string
	// silent is done when nothing is read from it any longer.
	silent *sync.WaitGroup
}

const startMax = 60 * time.Second

// launch runs a verb of trustplane, and waits until it says a line, on whichever of its outputs.
func launch(log string, line *regexp.Regexp, args ...string) (*launched, error) {
	launcher, err := filepath.Abs("../../bin/trustplane")
	if err != nil {
		return nil, err
	}

	command := exec.Command(launcher, args...)

	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}

	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}

	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}

	if err := command.Start(); err != nil {
		return nil, err
	}

	node := &launched{command, log, &sync.WaitGroup{}}
	said, ended := make(chan bool, 1), make(chan bool)

	for _, output := range []io.Reader{stdout, stderr} {
		node.silent.Go(func() {
			for lines := bufio.NewScanner(output); lines.Scan(); {
				file.Write(append(lines.Bytes(), '\n')) //nolint:errcheck

				if line.Match(lines.Bytes()) {
					select {
					case said <- true:
					default:
					}
				}
			}
		})
	}

	go func() {
		node.silent.Wait()
		file.Close() //nolint:errcheck
		close(ended)
	}()

	select {
	case <-said:
		return node, nil
	case <-ended:
		node.kill()

		return nil, fmt.Errorf("it ended while it started: %s", node.logged())
	case <-time.After(startMax):
		node.kill()

		return nil, fmt.Errorf("%q is not said: %s", line, node.logged())
	}
}

func (l *launched) logged() string {
	text, _ := os.ReadFile(l.log)

	return string(text)
}

// kill ends it as a power failure does.
func (l *launched) kill() {
	l.Process.Signal(syscall.SIGKILL) //nolint:errcheck
	l.silent.Wait()
	l.Wait() //nolint:errcheck
}

// ended waits until it ends by itself; the error is nil when its status is 0.
func (l *launched) ended() error {
	giveUp := time.AfterFunc(startMax, func() { l.Process.Signal(syscall.SIGKILL) }) //nolint:errcheck
	defer giveUp.Stop()

	l.silent.Wait()

	return l.Wait()
}
