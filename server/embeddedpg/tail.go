package embeddedpg

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
)

// maxTail is how many of the server's last lines an error repeats, and maxLine
// how much of a line without an end is kept.
const (
	maxTail = 8
	maxLine = 4096
)

// tail forwards the server's messages to the log, line by line, and keeps the
// last for errors.
type tail struct {
	log *slog.Logger

	mu      sync.Mutex
	partial []byte
	lines   []string
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partial = append(t.partial, p...)
	for {
		i := bytes.IndexByte(t.partial, '\n')
		if i < 0 && len(t.partial) < maxLine {
			return len(p), nil
		}
		line, rest := t.partial, []byte(nil)
		if i >= 0 {
			line, rest = t.partial[:i], t.partial[i+1:]
		}
		t.log.Debug("postgres", slog.String("says", string(line)))
		t.lines = append(t.lines, string(line))
		if len(t.lines) > maxTail {
			t.lines = t.lines[1:]
		}
		t.partial = rest
	}
}

// last are the last lines in a form to end an error with.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		return ""
	}
	return "; postgres said: " + strings.Join(t.lines, " | ")
}
