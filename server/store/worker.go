package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lib/pq"
)

// A process counts as live for aliveFor after a heartbeat; it is forgotten after a day.
const aliveFor = 15 * time.Second

const (
	sqlHeartbeat query = `WITH forgotten AS (
			DELETE FROM worker WHERE seen_at < now() - interval '1 day' AND owner <> $1)
		INSERT INTO worker (owner) VALUES ($1) ON CONFLICT (owner) DO UPDATE SET seen_at = now()`

	sqlLive query = `SELECT count(*) FROM worker WHERE seen_at > now() - $1::float8 * interval '1 second'`

	sqlLeave query = `DELETE FROM worker WHERE owner = $1`
)

func workerSQL() []query { return []query{sqlHeartbeat, sqlLive, sqlLeave} }

// Heartbeat says that the process owner is alive and returns how many are, itself
// included: each has that part of a workspace's Manage budget. It counts for 15
// seconds, so it is due every 5.
func (s *Store) Heartbeat(ctx context.Context, owner string) (int, error) {
	if _, err := (session{store: s}).exec(ctx, sqlHeartbeat, owner); err != nil {
		return 0, fmt.Errorf("heartbeat: %w", err)
	}
	return s.LiveProcesses(ctx)
}

// LiveProcesses counts the processes with a heartbeat in the last 15 seconds.
func (s *Store) LiveProcesses(ctx context.Context) (int, error) {
	var n int
	if err := (session{store: s}).get(ctx, &n, sqlLive, aliveFor.Seconds()); err != nil {
		return 0, fmt.Errorf("count the live processes: %w", err)
	}
	return n, nil
}

// Leave ends a process's share at once, at a clean shutdown.
func (s *Store) Leave(ctx context.Context, owner string) error {
	if _, err := (session{store: s}).exec(ctx, sqlLeave, owner); err != nil {
		return fmt.Errorf("leave: %w", err)
	}
	return nil
}

// poll is the safety net of WaitForWork: the longest that work waits for a lost
// notification, or after a backoff or a lease ended, of which nobody tells.
const poll = time.Second

// wake hears that customers were marked due. It keeps one signal, so that a mark
// between a Claim and the wait after it isn't missed.
type wake struct {
	signal chan struct{}

	mu       sync.Mutex
	listener *pq.Listener
	heard    chan struct{} // closed when the listener's loop has ended
	ended    chan struct{} // closed by close, which nothing is told of
}

func newWake() *wake { return &wake{signal: make(chan struct{}, 1), ended: make(chan struct{})} }

func (w *wake) isClosed() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

// listen begins to listen, once; until it is connected the poll serves alone.
func (w *wake) listen(s *Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listener != nil || w.isClosed() {
		return
	}
	w.listener = pq.NewListener(s.url, 100*time.Millisecond, 10*time.Second, func(e pq.ListenerEventType, err error) {
		if err != nil && e != pq.ListenerEventConnected && !w.isClosed() {
			s.log.Warn("lost the connection for notifications, polling meanwhile", "error", err)
		}
	})
	w.heard = make(chan struct{})
	go w.hear(s)
}

func (w *wake) hear(s *Store) {
	defer close(w.heard)
	if err := w.listener.Listen("trueup_due"); err != nil && !w.isClosed() {
		s.log.Warn("can't listen for notifications, polling instead", "error", err)
	}
	// A reconnect sends nil: something may have been missed, so it counts as a signal.
	for range w.listener.NotificationChannel() {
		select {
		case w.signal <- struct{}{}:
		default:
		}
	}
}

func (w *wake) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isClosed() {
		return
	}
	close(w.ended)
	if w.listener == nil {
		return
	}
	_ = w.listener.Close() // it only says that it was closed before
	<-w.heard
}

// WaitForWork returns when customers were marked due since it last returned, or after
// a second to look anyway; the error is the context's. It is for one loop a process:
// of two that wait, a mark wakes one.
func (s *Store) WaitForWork(ctx context.Context) error {
	s.wake.listen(s)
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-s.wake.signal:
	case <-t.C:
	}
	return nil
}
