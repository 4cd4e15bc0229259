package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/hostpage"
	"trueup/server/sim/microsoftsim"
)

// served are the addresses of the simulators.
type served struct{ manage, management, microsoft, control string }

// serve serves both simulators, and what steers them, on ports of their own until the
// process ends.
func serve(ctx context.Context, manage *connectwisesim.Sim, graph *microsoftsim.Sim) (served, error) {
	var s served
	page, err := hostpage.New(hostpage.Config{Manage: manage, Company: "northwind"})
	if err != nil {
		return s, err
	}
	for _, one := range []struct {
		at      *string
		handler http.Handler
	}{{&s.manage, page}, {&s.management, manage.Management()}, {&s.microsoft, graph.Handler()}, {&s.control, graph.Control()}} {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return s, fmt.Errorf("listen on a loopback port: %w", err)
		}
		*one.at = "http://" + listener.Addr().String()
		server := &http.Server{Handler: one.handler, ReadHeaderTimeout: 10 * time.Second}
		go func() { _ = server.Serve(listener) }() // it ends with the process
	}
	// To a browser another host name is another site, as Manage and Trueup are.
	s.manage = strings.Replace(s.manage, "127.0.0.1", "localhost", 1)
	return s, nil
}

// program is the built product and the environment that it runs in.
type program struct {
	path   string
	dir    string
	own    []string // the environment that differs from ours
	served served
}

func newProgram(s served, env map[string]string, dir string) program {
	p := program{path: "bin/trueup", dir: dir, served: s}
	if path := os.Getenv("TRUEUP"); path != "" {
		p.path = path
	}
	all := map[string]string{
		"TRUEUP_MICROSOFT_LOGIN_URL": s.microsoft + "/login", "TRUEUP_MICROSOFT_GRAPH_URL": s.microsoft + "/graph",
		"TRUEUP_PARTNER_CENTER_URL": s.microsoft + "/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS": "true",
		"TRUEUP_TEST_CLOCK": "true", "TRUEUP_DATA_DIR": filepath.Join(dir, "data"), "TRUEUP_MANAGE_CALLS_PER_MINUTE": "0",
		"TRUEUP_CUSTOMERS_AT_A_TIME": "4", "TRUEUP_LOG_LEVEL": "error", "CW_SITE": s.manage,
	}
	maps.Copy(all, env)
	for name, value := range all {
		p.own = append(p.own, name+"="+value)
	}
	slices.Sort(p.own)
	return p
}

// environment is ours without other settings of the product, and the program's own.
func (p program) environment() []string {
	ours := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "TRUEUP_") && !strings.HasPrefix(v, "TRUEUP_POSTGRES_BIN=")
	})
	return append(ours, p.own...)
}

// must runs the program and returns what it printed; want is the only status that is
// right, or -1 for any that isn't about wrong usage.
func (p program) must(ctx context.Context, want int, args ...string) (string, error) {
	out, status, errors, err := p.run(ctx, args...)
	if err != nil {
		return "", err
	}
	if want >= 0 && status != want || status == 2 || status < 0 {
		return "", fmt.Errorf("trueup %s ended with status %d:\n%s%s", strings.Join(args, " "), status, out, errors)
	}
	return out, nil
}

func (p program) run(ctx context.Context, args ...string) (out string, status int, errorText string, err error) {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = p.environment()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = nil
	}
	if err != nil {
		return "", 0, "", fmt.Errorf("run %s: %w", p.path, err)
	}
	return stdout.String(), cmd.ProcessState.ExitCode(), stderr.String(), nil
}

// runs are what `sync -o json` prints, as far as the demonstration looks at it.
type runs struct {
	Runs []struct {
		Customer string `json:"customer"`
		Status   string `json:"status"`
		Error    *struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
		Changes []change `json:"changes"`
	} `json:"runs"`
}

type change struct {
	License   string `json:"license"`
	Agreement struct {
		ID int `json:"id"`
	} `json:"agreement"`
	State string  `json:"state"`
	Code  *string `json:"code"`
}

// sync syncs all customers for a day.
func (p program) sync(ctx context.Context, day string, customers int) (runs, error) {
	out, status, told, err := p.run(ctx, "sync", "--all", "--as-of", day, "-o", "json")
	if err != nil {
		return runs{}, err
	}
	if status == 2 {
		return runs{}, fmt.Errorf("trueup sync is refused:\n%s", told)
	}
	var r runs
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		return runs{}, fmt.Errorf("read what trueup sync printed: %w\n%s", err, told)
	}
	if len(r.Runs) < customers {
		return runs{}, fmt.Errorf("trueup sync ran %d customers of %d:\n%s", len(r.Runs), customers, told)
	}
	return r, nil
}

// sentence says what became of the customers.
func (r runs) sentence() string {
	by, written, held := map[string]int{}, 0, 0
	for _, one := range r.Runs {
		by[one.Status]++
		for _, c := range one.Changes {
			switch c.State {
			case "written":
				written++
			case "held":
				held++
			}
		}
	}
	return fmt.Sprintf("%d customers are done, with %d wait for a person, %d could not be synced: %d changes written, %d held.",
		by["done"], by["held"], by["failed"], written, held)
}

// exports are the shell's lines that set the program's environment.
func (p program) exports() []string {
	lines := make([]string, len(p.own))
	for i, v := range p.own {
		name, value, _ := strings.Cut(v, "=")
		lines[i] = "export " + name + "='" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return lines
}

func (p program) toTry(file string) []string {
	return []string{
		p.path + " plan",
		p.path + " sync --customer CohoWinery",
		p.path + " history --customer CohoWinery",
		p.path + " doctor",
		p.path + " export",
		p.path + " apply -f " + file,
		"curl -s " + p.served.management + "/agreements/4000/additions      # the lines as ConnectWise has them",
		`curl -s -X PUT -d '{"Seats":25}' ` + p.served.control + "/tenants/cohowinery.example/subscriptions/005b1f18-8ce2-4955-b26e-7a2a2414fe9e/seats",
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
