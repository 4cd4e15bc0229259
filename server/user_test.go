package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"trueup/server/account"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/store/storetest"
)

// TestUserCommand makes users and lets one in again; passwords are on standard output and
// nowhere else.
func TestUserCommand(t *testing.T) {
	t.Parallel()
	env := processEnv(t, storetest.URL(t))
	trueup := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		status := run(t.Context(), &call{args: append([]string{"user"}, args...), in: strings.NewReader(""), out: &out, errors: &errs, env: envconfig.MapLookuper(env)})
		return status, out.String(), errs.String()
	}
	for want, args := range map[string][]string{
		"takes add or reset": {"remove"}, "takes an e-mail address": {"add"}, "there is no workspace yet": {"add", "sam@msp.example"},
		"is none of viewer": {"add", "sam@msp.example", "--role", "king"},
	} {
		if status, _, errs := trueup(args...); status != exitUsage || !strings.Contains(errs, want) {
			t.Errorf("user %v: %d %s", args, status, errs)
		}
	}
	p, err := open(t.Context(), envconfig.MapLookuper(env))
	must(t, err)
	defer func() { must(t, p.Close()) }()
	for _, name := range []string{"Contoso", "Fabrikam"} {
		must(t, p.store.InTx(t.Context(), func(tx *store.Tx) error {
			_, err := tx.CreateWorkspace(t.Context(), billing.Workspace{Name: name, Zone: "UTC"})
			return err
		}))
		if name == "Contoso" {
			status, out, errs := trueup("add", "Sam@MSP.example", "--name", "Sam Carter")
			if password := regexp.MustCompile(`(?m)^  (\S{23})$`).FindStringSubmatch(out); status != exitDone || password == nil || strings.Contains(errs, password[1]) {
				t.Fatalf("%d %s %s", status, out, errs)
			}
		}
	}
	if status, _, errs := trueup("add", "kim@msp.example"); status != exitUsage || !strings.Contains(errs, "Contoso, Fabrikam") {
		t.Errorf("%d %s", status, errs)
	}
	if status, _, errs := trueup("add", "kim@msp.example", "--workspace", "Nowhere"); status != exitUsage || !strings.Contains(errs, "no workspace") {
		t.Errorf("%d %s", status, errs)
	}
	if status, out, errs := trueup("add", "sam@msp.example", "--workspace", "Fabrikam", "--role", "viewer"); status != exitDone || !strings.Contains(out, "keeps the password") {
		t.Errorf("%d %s %s", status, out, errs)
	}
	if status, _, errs := trueup("add", "kim@msp.example", "--workspace", "Fabrikam", "--member", "kwood"); status != exitDone {
		t.Errorf("%d %s", status, errs)
	}
	if status, _, errs := trueup("add", "sam@msp.example", "--workspace", "Fabrikam", "--member", "KWood"); status != exitFailed || !strings.Contains(errs, "member_taken") {
		t.Errorf("%d %s", status, errs)
	}
	if status, _, errs := trueup("add", "sam@msp.example", "--workspace", "Contoso", "--role", "viewer"); status != exitFailed || !strings.Contains(errs, "last_admin") {
		t.Errorf("%d %s", status, errs)
	}
	status, out, errs := trueup("reset", "sam@msp.example")
	if status != exitDone {
		t.Fatalf("%d %s", status, errs)
	}
	if status, _, errs := trueup("reset", "nobody@msp.example"); status != exitFailed || !strings.Contains(errs, "not_found") {
		t.Errorf("%d %s", status, errs)
	}
	a, err := p.accounts()
	must(t, err)
	defer a.Close()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	st, err := a.SignIn(t.Context(), "", "sam@msp.example", strings.TrimSpace(lines[len(lines)-1]), account.Client{Address: "192.0.2.7"})
	must(t, err)
	if st.Step != account.StepChangePassword {
		t.Errorf("%+v", st)
	}
}

// TestFirstLinkFile: where no terminal is, the link is in a file that only the owner may
// read, and goes once there is a user.
func TestFirstLinkFile(t *testing.T) {
	t.Parallel()
	p := &product{now: time.Now, log: slog.New(slog.DiscardHandler)}
	p.Settings = Settings{DataDir: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:8080"}
	p.store = storetest.New(t)
	a, err := account.New(account.Config{
		Rows: p.store, In: func(w billing.WorkspaceID) account.Workspace { return p.store.In(w) }, PublicURL: p.Settings.publicURL(),
	})
	must(t, err)
	var out bytes.Buffer
	must(t, p.tellFirst(t.Context(), a, &out))
	path := filepath.Join(p.Settings.DataDir, firstLinkFile)
	info, err := os.Stat(path)
	must(t, err)
	link, err := os.ReadFile(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 || !strings.HasPrefix(string(link), "http://127.0.0.1:8080/first#") || strings.Contains(out.String(), "#") || !strings.Contains(out.String(), path) {
		t.Errorf("%s %q, told %q", info.Mode(), link, out.String())
	}
	_, secret, _ := strings.Cut(strings.TrimSpace(string(link)), "#")
	_, err = a.MakeFirstAdmin(t.Context(), "", secret, account.First{
		Email: "ines@msp.example", Name: "Ines", Password: inesPassword, Workspace: "Contoso", Zone: "UTC",
	}, account.Client{})
	must(t, err)
	out.Reset()
	must(t, p.tellFirst(t.Context(), a, &out))
	if _, err := os.Stat(path); !os.IsNotExist(err) || out.Len() > 0 {
		t.Errorf("%v, told %q", err, out.String())
	}
}
