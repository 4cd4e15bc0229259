// Command stage sets up what the tests of the pages look at: both simulators with the
// world of the demonstration, the built program with that world applied and synced once,
// an administrator, and the program serving pages. It prints one line of JSON when all of
// it is ready, and takes everything down when its standard input ends, so that nothing is
// left behind however the tests end.
//
// The program serves without clock and worker: what the tests see does not move by itself.
//
// TRUEUP names the program (default bin/trueup).
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
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, end := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // who started this holds it open
		end()
	}()
	err := run(ctx)
	stop()
	end()
	if err != nil {
		fmt.Fprintln(os.Stderr, "stage:", err)
		os.Exit(1)
	}
}

// ready is what is printed.
type ready struct {
	URL      string `json:"url"`      // of the pages
	Email    string `json:"email"`    // of the administrator
	Password string `json:"password"` // works once, then asks for another
}

func run(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "trueup-stage-")
	if err != nil {
		return fmt.Errorf("make a data directory: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it was made for the tests
	world, workspace, err := scenario.Open("demo")
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
	p := program{path: "bin/trueup", env: os.Environ()}
	if path := os.Getenv("TRUEUP"); path != "" {
		p.path = path
	}
	site, err := serve(ctx, manage)
	if err != nil {
		return err
	}
	microsoft, err := serve(ctx, graph.Handler())
	if err != nil {
		return err
	}
	p.set("TRUEUP_MICROSOFT_LOGIN_URL", microsoft+"/login", "TRUEUP_MICROSOFT_GRAPH_URL", microsoft+"/graph",
		"TRUEUP_PARTNER_CENTER_URL", microsoft+"/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS", "true", "TRUEUP_TEST_CLOCK", "true",
		"TRUEUP_DATA_DIR", filepath.Join(dir, "data"), "TRUEUP_MANAGE_CALLS_PER_MINUTE", "0", "TRUEUP_LOG_LEVEL", "error",
		"TRUEUP_LISTEN", "127.0.0.1:0", "TRUEUP_ROLES", "web", "CW_SITE", site)
	for name, value := range world.Environment() {
		p.set(name, value)
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

// show fills the database, then serves it until the context ends.
func (p *program) show(ctx context.Context, file, day string) error {
	const email = "sam@msp.example"
	if _, err := p.run(ctx, "apply", "-f", file); err != nil {
		return err
	}
	if _, err := p.run(ctx, "sync", "--all", "--as-of", day); err != nil {
		return err
	}
	told, err := p.run(ctx, "user", "add", email, "--name", "Sam Carter", "--role", "admin")
	if err != nil {
		return err
	}
	lines := strings.Fields(told)
	return p.serve(ctx, ready{Email: email, Password: lines[len(lines)-1]})
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

var address = regexp.MustCompile(`serves (http://\S+)`)

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
	for lines := bufio.NewScanner(out); lines.Scan(); {
		m := address.FindStringSubmatch(lines.Text())
		if m == nil || r.URL != "" {
			continue
		}
		r.URL = m[1]
		text, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("say that all is ready: %w", err)
		}
		fmt.Println(string(text))
	}
	if err := cmd.Wait(); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
