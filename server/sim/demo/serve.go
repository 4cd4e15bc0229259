package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"trueup/server/sim/microsoftsim"
)

const (
	visitor = "you@trueup.example"
	door    = "127.0.0.1:8080" // where the pages are, unless somebody else is there
)

// service is `trueup serve` while it runs.
type service struct {
	cmd     *exec.Cmd
	address string
	ended   chan error
}

// today moves the simulated world on to the day of this machine's clock, by which the
// service works; every month in between is invoiced. Nothing changes at Microsoft.
func (d *demo) today() error {
	now := time.Now()
	to, err := microsoftsim.ParseDay(now.Format(time.DateOnly))
	if err != nil {
		return fmt.Errorf("read today: %w", err)
	}
	if to <= d.graph.Day() {
		return nil
	}
	if err := d.world.Advance(d.manage, d.graph, to); err != nil {
		return fmt.Errorf("move on to today: %w", err)
	}
	return nil
}

// service starts `trueup serve` and waits until it says where it is. Afterwards what it
// prints goes to out. Who the visitor is and with which password comes back.
func (d *demo) service(ctx context.Context, at string, out io.Writer) (s *service, password string, err error) {
	told, err := d.trueup.must(ctx, 0, "user", "add", visitor, "--name", "Visitor", "--member", d.member)
	if err != nil {
		return nil, "", err
	}
	password = strings.TrimSpace(lastLine(told))
	d.trueup.own = append(d.trueup.own, "TRUEUP_LISTEN="+at, "TRUEUP_PUBLIC_URL=http://"+at) // what is installed leads there
	if told, err = d.trueup.must(ctx, 0, "install"); err != nil {
		return nil, "", err
	}
	d.show(told, 0)
	cmd := exec.CommandContext(ctx, d.trueup.path, "serve")
	cmd.Env = d.trueup.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", fmt.Errorf("read what the service prints: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, "", fmt.Errorf("start the service: %w", err)
	}
	s = &service{cmd: cmd, ended: make(chan error, 1)}
	lines := bufio.NewScanner(stdout)
	for s.address == "" && lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), " serves http://"); ok {
			s.address, _, _ = strings.Cut(rest, " ")
		}
	}
	if s.address == "" {
		return nil, "", fmt.Errorf("the service ended before it served: %w", cmd.Wait())
	}
	go func() {
		_, _ = io.Copy(out, stdout) // it ends with the service
		s.ended <- cmd.Wait()
	}()
	return s, password, nil
}

// stop ends the service as Ctrl-C does and waits for it.
func (s *service) stop() error {
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	if err := <-s.ended; err != nil {
		return fmt.Errorf("the service ended badly: %w", err)
	}
	return nil
}

// visit lets the visitor in through the API, with the new password and the authenticator
// that everybody sets at first, and says what the first page and the list of licenses show.
func (d *demo) visit(ctx context.Context, s *service, password string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return fmt.Errorf("keep cookies: %w", err)
	}
	v := visit{ctx: ctx, client: &http.Client{Jar: jar, Timeout: 30 * time.Second}, base: "http://" + s.address + "/api/v1"}
	own := "A month of licenses, " + password
	v.ask(http.MethodPost, "/session", map[string]string{"email": visitor, "password": password}, nil)
	v.ask(http.MethodPut, "/me/password", map[string]string{"current": password, "password": own}, nil)
	var enrolment struct {
		Key string `json:"key"`
	}
	v.ask(http.MethodPost, "/me/mfa", nil, &enrolment)
	code, err := totp.GenerateCode(enrolment.Key, time.Now())
	if v.err == nil && err != nil {
		return fmt.Errorf("make a code: %w", err)
	}
	v.ask(http.MethodPut, "/me/mfa", map[string]string{"code": code}, nil)
	var page struct {
		Customers int `json:"customers"`
		Verdict   struct {
			Waiting   int `json:"waiting"`
			Attention int `json:"attention"`
		} `json:"verdict"`
	}
	v.ask(http.MethodGet, "/overview", nil, &page)
	var licenses struct {
		Total int `json:"total"`
	}
	v.ask(http.MethodGet, "/licenses?limit=1", nil, &licenses)
	if v.err != nil {
		return v.err
	}
	if page.Customers == 0 || licenses.Total == 0 {
		return errors.New("the service shows no customers or no licenses")
	}
	d.say("Signed in through the API: %d customers, %d licenses, %d changes wait for a person, %d things need attention.",
		page.Customers, licenses.Total, page.Verdict.Waiting, page.Verdict.Attention)
	return nil
}

// visit is a browser's worth of requests; the first that fails is kept in err.
type visit struct {
	ctx    context.Context
	client *http.Client
	base   string
	err    error
}

func (v *visit) ask(method, path string, body, into any) {
	if v.err != nil {
		return
	}
	var sent bytes.Buffer
	if body != nil {
		v.err = json.NewEncoder(&sent).Encode(body)
	}
	r, err := http.NewRequestWithContext(v.ctx, method, v.base+path, &sent)
	if v.err = errors.Join(v.err, err); v.err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := v.client.Do(r)
	if err != nil {
		v.err = fmt.Errorf("%s %s: %w", method, path, err)
		return
	}
	defer answer.Body.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	switch {
	case err != nil:
		v.err = fmt.Errorf("%s %s: %w", method, path, err)
	case answer.StatusCode >= http.StatusBadRequest:
		v.err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, text)
	case into != nil:
		v.err = json.Unmarshal(text, into)
	}
}

// serve shows the service over the simulators: once it only visits and ends, else it
// stays for whoever wants to try.
func (d *demo) serve(ctx context.Context, once bool) error {
	d.section("trueup serve")
	if err := d.today(); err != nil {
		return err
	}
	d.say("The service works by the clock of this machine, so the months until %s pass, with their invoices.", d.day())
	at := door
	if once || taken(ctx, door) {
		var err error
		if at, err = free(ctx); err != nil {
			return err
		}
	}
	out := io.Discard
	if !once {
		out = d.out
	}
	s, password, err := d.service(ctx, at, out)
	if err != nil {
		return err
	}
	if !once {
		return d.stay(ctx, s, password)
	}
	return errors.Join(d.visit(ctx, s, password), s.stop())
}

// free is an address that nobody listens at.
func free(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// taken says that somebody listens there already.
func taken(ctx context.Context, address string) bool {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return true
	}
	return l.Close() != nil
}
