// Command stage sets up what the tests of the pages look at: both simulators with the
// world of the demonstration, the built program with that world applied and synced once,
// an administrator and a technician, and the program serving pages. It prints one line of
// JSON when all of it is ready, and takes everything down when its standard input ends, so
// that nothing is left behind however the tests end.
//
// The program serves without clock and worker: what the tests see does not move by itself.
//
// With -bare nobody has an account, nothing is applied, and mail can be sent: what is
// printed is the one-time link of the first administrator, and where the mails are listed.
// Mail to bounce@msp.example is refused.
//
// With -empty nothing is set up either, the program works by its clock, and what a person
// has at hand on the first day is printed too.
//
// With -live the world has come to today, the program works by its clock but for the
// nights, and is installed in Manage, whose pages (hostpage) are at another host name.
//
// With -hostile the names in the world are written to break pages.
//
// TRUEUP names the program (default bin/trueup).
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/mailsim"
	"trueup/server/sim/microsoftsim"
)

func main() {
	bare := flag.Bool("bare", false, "begin with nobody and nothing, and let the program send mail")
	empty := flag.Bool("empty", false, "begin with nothing set up, and let the program work")
	live := flag.Bool("live", false, "let the program work today, inside a Manage that has pages")
	hostile := flag.Bool("hostile", false, "take a world whose names are written to break pages")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // who started this holds it open
		end()
	}()
	err := run(ctx, *bare, *empty, *live, *hostile)
	stop()
	end()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stage:", err)
		os.Exit(1)
	}
}

// ready is what is printed.
type ready struct {
	URL        string `json:"url"`                  // of the pages
	Mails      string `json:"mails,omitempty"`      // with -bare: where the mails that were sent are listed
	Email      string `json:"email,omitempty"`      // of the administrator
	Password   string `json:"password,omitempty"`   // works once, then asks for another
	Technician *login `json:"technician,omitempty"` // somebody else
	First      string `json:"first,omitempty"`      // with -bare and -empty: the link of the first administrator
	Hands      *hands `json:"hands,omitempty"`      // with -empty: what a person has at hand
	Manage     string `json:"manage,omitempty"`     // with -live: the pages of Manage, and its API
	Knobs      string `json:"knobs,omitempty"`      // with -live: what steers Manage
	Control    string `json:"control,omitempty"`    // with -live: what steers Microsoft
}

// login is how somebody signs in the first time.
type login struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

func run(ctx context.Context, bare, empty, live, hostile bool) (err error) {
	dir, err := os.MkdirTemp("", "trueup-stage-")
	if err != nil {
		return fmt.Errorf("make a data directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it was made for the tests
	p := program{path: "bin/trueup", env: os.Environ()}
	if path := os.Getenv("TRUEUP"); path != "" {
		p.path = path
	}
	switch {
	case empty:
		return runEmpty(ctx, dir, p)
	case live:
		return runLive(ctx, dir, p)
	}
	world, workspace, err := open(hostile)
	if err != nil {
		return err
	}
	manage, graph, err := world.BuildWith(connectwisesim.Config{CallsPerMinute: -1}, microsoftsim.Config{Settings: microsoftsim.Settings{NoThrottling: true}})
	if err != nil {
		return err
	}
	defer manage.Close()
	file := filepath.Join(dir, "workspace.yaml")
	if err := os.WriteFile(file, []byte(workspace), 0o600); err != nil {
		return fmt.Errorf("write the workspace file: %w", err)
	}
	site, err := serve(ctx, manage)
	if err != nil {
		return err
	}
	microsoft, err := serve(ctx, graph.Handler())
	if err != nil {
		return err
	}
	at, err := free(ctx)
	if err != nil {
		return err
	}
	p.set("TRUEUP_MICROSOFT_LOGIN_URL", microsoft+"/login", "TRUEUP_MICROSOFT_GRAPH_URL", microsoft+"/graph",
		"TRUEUP_PARTNER_CENTER_URL", microsoft+"/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS", "true", "TRUEUP_TEST_CLOCK", "true",
		"TRUEUP_DATA_DIR", filepath.Join(dir, "data"), "TRUEUP_MANAGE_CALLS_PER_MINUTE", "0", "TRUEUP_LOG_LEVEL", "error",
		"TRUEUP_LISTEN", at, "TRUEUP_ROLES", "web", "CW_SITE", site)
	for name, value := range world.Environment() {
		p.set(name, value)
	}
	if bare {
		return p.showBare(ctx, at)
	}
	return p.show(ctx, file, graph.Day().String())
}

// serve serves on a loopback port until the process ends, and says where.
func serve(ctx context.Context, h http.Handler) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("listen on a loopback port: %w", err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // it ends with the process
	return "http://" + l.Addr().String(), nil
}

// free is a loopback address that nobody listens at: links in mails, and the ways back from
// other sites, must name the port before the program has it.
func free(ctx context.Context) (string, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return at, nil
}

// program is the built product and its environment.
type program struct {
	path string
	env  []string
}

func (p *program) set(pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		p.env = append(p.env, pairs[i]+"="+pairs[i+1])
	}
}

// showBare serves a database in which nobody is, with a server that takes mails.
func (p *program) showBare(ctx context.Context, at string) error {
	p.set("TRUEUP_PUBLIC_URL", "http://"+at, "TRUEUP_ROLES", "web,clock")
	mails, err := post(ctx, p)
	if err != nil {
		return err
	}
	return p.serve(ctx, ready{Mails: mails})
}

// post lets the program send mail, and says where it is listed.
func post(ctx context.Context, p *program) (string, error) {
	mail, err := mailsim.Start(mailsim.Config{NoTLS: true})
	if err != nil {
		return "", fmt.Errorf("start a mail server: %w", err)
	}
	mail.Refuse("bounce@msp.example", "550 5.1.1 no such user")
	p.set("TRUEUP_SMTP_URL", "smtp://"+mail.Addr()+"?starttls=no&from=trueup@msp.example")
	return serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(mail.Mails()) // a test that went away needs no answer
	}))
}

// show fills the database, then serves it until the context ends.
func (p *program) show(ctx context.Context, file, day string) error {
	if err := p.fill(ctx, file, day); err != nil {
		return err
	}
	r := ready{Email: "sam@msp.example", Technician: &login{Email: "kim@msp.example"}}
	var err error
	if r.Password, err = p.person(ctx, r.Email, "--name", "Sam Carter", "--role", "admin"); err != nil {
		return err
	}
	if r.Technician.Password, err = p.person(ctx, r.Technician.Email, "--name", "Kim Osei", "--role", "technician"); err != nil {
		return err
	}
	return p.serve(ctx, r)
}

// fill applies the workspace file and syncs all customers once.
func (p *program) fill(ctx context.Context, file, day string) error {
	if _, err := p.run(ctx, "apply", "-f", file); err != nil {
		return err
	}
	_, err := p.run(ctx, "sync", "--all", "--as-of", day)
	return err
}

// person makes a user, and answers with the password that works once.
func (p *program) person(ctx context.Context, email string, args ...string) (string, error) {
	told, err := p.run(ctx, append([]string{"user", "add", email}, args...)...)
	if err != nil {
		return "", err
	}
	words := strings.Fields(told)
	if len(words) == 0 {
		return "", fmt.Errorf("trueup user add %s gave no password", email)
	}
	return words[len(words)-1], nil
}

// run runs a command of the program. Status 1 and 3 are what a world with troubled
// customers ends with.
func (p *program) run(ctx context.Context, args ...string) (string, error) {
	cmd := p.command(ctx, args...)
	var out, told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &told
	err := cmd.Run()
	if status := cmd.ProcessState.ExitCode(); err != nil && status != 1 && status != 3 {
		return "", fmt.Errorf("trueup %s ended with status %d: %w\n%s%s", args[0], status, err, out.String(), told.String())
	}
	return out.String(), nil
}

func (p *program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = p.env
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

var (
	address = regexp.MustCompile(`serves (http://\S+)`)
	first   = regexp.MustCompile(`is in (\S+first-admin\.txt)`)
)

// serve serves until the context ends, and prints what is ready: with -bare that is told
// after the link of the first administrator, which the program puts into a file.
func (p *program) serve(ctx context.Context, r ready) error {
	cmd := p.command(ctx, "serve")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	told := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := address.FindStringSubmatch(lines.Text()); m != nil {
			r.URL = m[1]
		}
		if m := first.FindStringSubmatch(lines.Text()); m != nil {
			link, err := os.ReadFile(m[1])
			if err != nil {
				return fmt.Errorf("read the link of the first administrator: %w", err)
			}
			r.First = strings.TrimSpace(string(link))
		}
		if told || r.URL == "" || r.Email == "" && r.First == "" {
			continue
		}
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("say that all is ready: %w", err)
		}
		fmt.Println(string(text))
		told = true
	}
	if err := cmd.Wait(); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
