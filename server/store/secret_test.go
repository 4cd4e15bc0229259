package store_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trueup/server/store"
)

func TestSecretsAreKeptSealed(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx, w := t.Context(), h.workspace
	const plain = "Zm9v-the-client-secret"
	if _, err := w.Secret(ctx, h.partner, store.ClientSecret); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a secret that isn't set: %v", err)
	}
	must(t, w.SetSecret(ctx, h.partner, store.ClientSecret, plain))
	got, err := w.Secret(ctx, h.partner, store.ClientSecret)
	must(t, err)
	same(t, "the secret", plain, got)
	c, err := w.Connection(ctx, h.partner)
	must(t, err)
	same(t, "what is set", []store.SecretName{store.ClientSecret}, c.Has)
	if c.Version != 2 {
		t.Errorf("version %d after a change of a secret", c.Version)
	}
	var row string
	must(t, h.beside.Get(&row, `SELECT c::text || encode(client_secret, 'escape') FROM connection c`))
	if strings.Contains(row, plain) || strings.Contains(fmt.Sprintf("%+v", c), plain) {
		t.Error("the secret stands in the clear")
	}
	// What is sealed for one place opens at no other.
	h.sql(t, `UPDATE connection SET password = client_secret`)
	if got, err := w.Secret(ctx, h.partner, store.PasswordSecret); err == nil {
		t.Errorf("a moved secret opened as %q", got)
	}
	must(t, w.SetSecret(ctx, h.partner, store.ClientSecret, ""))
	if _, err := w.Secret(ctx, h.partner, store.ClientSecret); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a secret that was taken away: %v", err)
	}
	if err := w.SetSecret(ctx, h.partner, "id; DROP TABLE ledger", "x"); err == nil {
		t.Error("a secret by any name")
	}
}

func TestOfTwoRotationsOneWins(t *testing.T) {
	t.Parallel()
	h := build(t)
	ctx, w := t.Context(), h.workspace
	must(t, w.SetSecret(ctx, h.partner, store.RefreshToken, "first"))
	must(t, w.SwapSecret(ctx, h.partner, store.RefreshToken, "first", "second"))
	if err := w.SwapSecret(ctx, h.partner, store.RefreshToken, "first", "third"); !errors.Is(err, store.ErrStale) {
		t.Errorf("got %v", err)
	}
	got, err := w.Secret(ctx, h.partner, store.RefreshToken)
	must(t, err)
	same(t, "the token", "second", got)
	c, err := w.Connection(ctx, h.partner)
	must(t, err)
	if c.Version != 2 {
		t.Errorf("version %d: a rotated token makes clients anew", c.Version)
	}
}

func TestRotatedKeysetReadsOldAndRewraps(t *testing.T) {
	t.Parallel()
	h := build(t)
	first, err := store.NewKeyset()
	must(t, err)
	use := func(k *store.Keyset) *store.Store {
		t.Helper()
		s, err := store.Open(t.Context(), store.Config{URL: h.url, Keyset: k})
		must(t, err)
		t.Cleanup(func() { must(t, s.Close()) })
		return s
	}
	names := []store.SecretName{store.PrivateKey, store.ClientSecret, store.ClientCertificate, store.PasswordSecret, store.RefreshToken}
	for _, n := range names {
		must(t, use(first).In(h.workspace.Workspace()).SetSecret(t.Context(), h.partner, n, "the "+string(n)))
	}
	second, err := first.Rotate()
	must(t, err)
	a, err := first.Primary()
	must(t, err)
	b, err := second.Primary()
	must(t, err)
	if a == b {
		t.Fatal("rotated to the same key")
	}
	reads := func(k *store.Keyset) bool {
		t.Helper()
		for _, n := range names {
			got, err := use(k).In(h.workspace.Workspace()).Secret(t.Context(), h.partner, n)
			if err != nil {
				return false
			}
			same(t, string(n), "the "+string(n), got)
		}
		return true
	}
	if !reads(second) {
		t.Error("the rotated keyset doesn't open what the old one sealed")
	}
	n, err := use(second).Rewrap(t.Context())
	must(t, err)
	if n != len(names) || !reads(second) || reads(first) {
		t.Errorf("rewrapped %d; new key reads %v, old key %v", n, reads(second), reads(first))
	}
	foreign, err := store.NewKeyset()
	must(t, err)
	if reads(foreign) {
		t.Error("another keyset opens it")
	}
	if _, err := use(nil).In(h.workspace.Workspace()).Secret(t.Context(), h.partner, store.PrivateKey); err == nil {
		t.Error("it opens without a keyset")
	}
}

func TestKeysetFile(t *testing.T) {
	t.Parallel()
	k, err := store.NewKeyset()
	must(t, err)
	path := filepath.Join(t.TempDir(), "keyset.json")
	if _, err := store.LoadKeyset(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that isn't: %v", err)
	}
	must(t, k.WriteFile(path))
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o", info.Mode().Perm())
	}
	loaded, err := store.LoadKeyset(path)
	must(t, err)
	text, err := loaded.Text()
	must(t, err)
	if again, err := k.Text(); err != nil || again != text {
		t.Errorf("another keyset came back, %v", err)
	}
	for _, shown := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s", k, k, k), slog.AnyValue(k).Resolve().String()} {
		if strings.Contains(shown, text[40:80]) || !strings.Contains(shown, "[keyset]") {
			t.Errorf("it shows itself: %s", shown)
		}
	}
	must(t, os.Chmod(path, 0o640))
	if _, err := store.LoadKeyset(path); err == nil {
		t.Error("a file that others can read was taken")
	}
	for name, bad := range map[string]string{
		"nothing": "", "no JSON": "hunter2", "another JSON": `{"primaryKeyId":1}`, "cut": text[:len(text)/2], "huge": strings.Repeat("x", 1<<20),
	} {
		if _, err := store.ParseKeyset(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHealthIsKept(t *testing.T) {
	t.Parallel()
	h := build(t)
	want := store.Health{State: "broken", Code: "AADSTS7000222", Text: "The client secret has expired.", Action: "Make a new one."}
	must(t, h.workspace.SaveHealth(t.Context(), h.partner, want))
	c, err := h.workspace.Connection(t.Context(), h.partner)
	must(t, err)
	if c.Health.Checked.IsZero() {
		t.Error("it doesn't say when")
	}
	want.Checked = c.Health.Checked
	same(t, "health", want, c.Health)
	manage, err := h.workspace.SaveConnection(t.Context(), store.Connection{Kind: store.Manage, Name: "manage"})
	must(t, err)
	if _, err := h.workspace.SaveConnection(t.Context(), store.Connection{Kind: store.Manage, Name: "second"}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second connection to Manage: %v", err)
	}
	must(t, h.workspace.DeleteConnection(t.Context(), manage))
	if err := h.workspace.DeleteConnection(t.Context(), h.partner); !errors.Is(err, store.ErrConflict) {
		t.Errorf("deleted a connection that reads a tenant: %v", err)
	}
}
