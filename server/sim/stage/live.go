package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/hostpage"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
)

// runLive shows the demonstration's world as it has become by today, with the pages of Manage around
// the program. The administrator is the first member of Manage.
func runLive(ctx context.Context, dir string, p program) error {
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
	r := ready{Email: "sam@msp.example"}
	if err := r.surround(ctx, dir, &p, manage, graph); err != nil {
		return err
	}
	for name, value := range world.Environment() {
		p.set(name, value)
	}
	if err := p.fill(ctx, file, graph.Day().String()); err != nil {
		return err
	}
	today, err := microsoftsim.ParseDay(time.Now().Format(time.DateOnly))
	if err != nil {
		return fmt.Errorf("read today: %w", err)
	}
	if err := world.Advance(manage, graph, today); err != nil {
		return fmt.Errorf("move on to today: %w", err)
	}
	if _, err := p.run(ctx, "sync", "--all", "--as-of", today.String()); err != nil {
		return err
	}
	if r.Password, err = p.person(ctx, r.Email, "--name", "Sam Carter", "--role", "admin", "--member", hostpage.People(manage)); err != nil {
		return err
	}
	told, err := p.run(ctx, "install")
	if err != nil {
		return err
	}
	if len(manage.HostedSetups()) == 0 {
		return fmt.Errorf("trueup install made no pod: %s", told)
	}
	return p.serve(ctx, r)
}

// surround serves Manage, Microsoft and what steers both, and says to the program where
// they are and where itself will be: what is installed in Manage leads there.
func (r *ready) surround(ctx context.Context, dir string, p *program, manage *connectwisesim.Sim, graph *microsoftsim.Sim) error {
	hostpage.OfferAgreements(manage)
	hostpage.People(manage)
	page, err := hostpage.New(hostpage.Config{Manage: manage, Company: "northwind"})
	if err != nil {
		return err
	}
	var microsoft string
	for at, handler := range map[*string]http.Handler{&r.Manage: page, &r.Knobs: manage.Management(), &microsoft: graph.Handler(), &r.Control: graph.Control()} {
		if *at, err = serve(ctx, handler); err != nil {
			return err
		}
	}
	own, err := free(ctx)
	if err != nil {
		return err
	}
	// To a browser another host name is another site, as Manage and Trueup are.
	r.Manage = strings.Replace(r.Manage, "127.0.0.1", "localhost", 1)
	p.set("TRUEUP_MICROSOFT_LOGIN_URL", microsoft+"/login", "TRUEUP_MICROSOFT_GRAPH_URL", microsoft+"/graph",
		"TRUEUP_PARTNER_CENTER_URL", microsoft+"/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS", "true", "TRUEUP_TEST_CLOCK", "true",
		"TRUEUP_DATA_DIR", filepath.Join(dir, "data"), "TRUEUP_MANAGE_CALLS_PER_MINUTE", "0", "TRUEUP_LOG_LEVEL", "error",
		"TRUEUP_LISTEN", own, "TRUEUP_PUBLIC_URL", "http://"+own, "TRUEUP_ROLES", "web,worker", "CW_SITE", r.Manage)
	return nil
}
