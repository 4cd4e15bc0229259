package account

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
)

func cheap() argon2id.Params {
	return argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// TestHashingIsBounded fills the slots and the queue: never more than the slots run, and
// what is beyond the queue is refused at once.
func TestHashingIsBounded(t *testing.T) {
	t.Parallel()
	h, err := newHasher(cheap(), 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	release, began := make(chan struct{}), make(chan struct{}, 5)
	var running, most atomic.Int64
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			err := h.turn(t.Context(), func() error {
				most.Store(max(most.Load(), running.Add(1)))
				defer running.Add(-1)
				began <- struct{}{}
				<-release
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	<-began
	<-began
	ctx, stop := context.WithCancel(t.Context())
	left := make(chan error, 3)
	for range 3 {
		all.Go(func() { left <- h.turn(ctx, func() error { return errors.New("it had a turn") }) })
	}
	for h.waiting.Load() < 5 { // all are counted before they wait
		select {
		case err := <-left:
			t.Fatal(err)
		default:
		}
	}
	if err := h.turn(t.Context(), func() error { return nil }); !errors.Is(err, errBusy()) {
		t.Errorf("one more than the queue holds: %v", err)
	}
	// Known and unknown accounts, right and wrong passwords go the same way: all wait.
	for _, hash := range []string{"", h.nobody} {
		if _, _, err := h.check(t.Context(), "password", hash); !errors.Is(err, errBusy()) {
			t.Errorf("a check that didn't hash: %v", err)
		}
	}
	stop()
	for range 3 {
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("whoever left: %v", err)
		}
	}
	close(release)
	all.Wait()
	if most.Load() > 2 || h.waiting.Load() != 0 {
		t.Errorf("%d ran at once, %d wait for ever", most.Load(), h.waiting.Load())
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	h, err := newHasher(cheap(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := h.hash(t.Context(), "a password")
	if err != nil {
		t.Fatal(err)
	}
	dearer := cheap()
	dearer.Iterations = 2
	later, err := newHasher(dearer, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		h            *hasher
		password     string
		hash         string
		ok, outdated bool
		broken       bool
	}{
		"right":          {h, "a password", hash, true, false, false},
		"wrong":          {h, "another", hash, false, false, false},
		"no account":     {h, "a password", "", false, false, false},
		"dearer now":     {later, "a password", hash, true, true, false},
		"no hash at all": {h, "a password", "plain", false, false, true},
	} {
		ok, outdated, err := c.h.check(t.Context(), c.password, c.hash)
		if ok != c.ok || outdated != c.outdated || (err != nil) != c.broken {
			t.Errorf("%s: %v %v %v", name, ok, outdated, err)
		}
	}
	if _, err := newHasher(cheap(), -1, 0); err == nil {
		t.Error("fewer hashers than none")
	}
}

// FuzzSecondFactor: whatever is typed is a code or isn't, and breaks nothing.
func FuzzSecondFactor(f *testing.F) {
	for _, s := range []string{"123456", "12 34 56", "ABCD-EFGH-JKLM-NPQR", "", "000000000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if step := stepOf("JBSWY3DPEHPK3PXP", typed, cheapTime()); step != 0 && len(typed) < 6 {
			t.Errorf("%q is a code", typed)
		}
		plainCode(typed)
		if to := localPath(typed); to[0] != '/' || len(to) > 1 && (to[1] == '/' || to[1] == '\\') {
			t.Errorf("%q sends to %q", typed, to)
		}
		if email, err := emailOf(typed); err == nil && (email == "" || len(email) > 254) {
			t.Errorf("%q is the address %q", typed, email)
		}
	})
}

func TestSpoken(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		time.Second: "a second", 10 * time.Second: "10 seconds", 90 * time.Second: "90 seconds", 91 * time.Second: "2 minutes",
		15 * time.Minute: "15 minutes", 5 * time.Hour: "5 hours",
	} {
		if got := spoken(d); got != want {
			t.Errorf("%s is %q", d, got)
		}
	}
	if e := errWait(0); e.RetryAfter != time.Second {
		t.Errorf("waits %s", e.RetryAfter)
	}
}

func cheapTime() time.Time { return time.Unix(1_800_000_000, 0) }
