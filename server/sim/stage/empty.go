package main

import (
	"context"
	_ "embed"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"trueup/server/sim/connectwisesim"
	"trueup/server/sim/microsoftsim"
	"trueup/server/sim/scenario"
)

// The world of a first day. It plays today, because the program plans by its own clock.
//
//go:embed empty.txtar
var emptyWorld string

// The app to which the partner's admin signs in, and its secret.
const (
	partnerDomain = "northwind-msp.example"
	partnerApp    = "5e0c1fd0-5f6f-4d2e-9a0e-6f2c1b7a9d11"
	partnerSecret = "first~day~secret"
)

// hands is what a person has at hand on the first day, and where the simulators are told
// what to do.
type hands struct {
	Site       string `json:"site"`
	Company    string `json:"company"`
	PublicKey  string `json:"publicKey"`
	PrivateKey string `json:"privateKey"`
	ClientID   string `json:"clientId"`
	Tenant     string `json:"tenant"`
	App        string `json:"app"`
	Secret     string `json:"secret"`
	Manage     string `json:"manage"`
	Microsoft  string `json:"microsoft"`
}

// datesOf puts the days of a first day into the world: today, a start, the next invoice.
func datesOf(world string, today time.Time) string {
	month := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	return strings.NewReplacer(
		"{today}", today.Format(time.DateOnly), "{start}", month.AddDate(0, -6, 0).Format(time.DateOnly), "{next}", month.AddDate(0, 1, 0).Format(time.DateOnly),
	).Replace(world)
}

// runEmpty shows a program without a workspace, with everything that a first day needs at
// the other side. Worker and clock work.
func runEmpty(ctx context.Context, dir string, p program) error {
	world, err := scenario.Load([]byte(datesOf(emptyWorld, time.Now().UTC())))
	if err != nil {
		return err
	}
	manage, graph, err := world.BuildWith(connectwisesim.Config{CallsPerMinute: -1}, microsoftsim.Config{Settings: microsoftsim.Settings{NoThrottling: true}})
	if err != nil {
		return err
	}
	defer manage.Close()
	at, err := free(ctx)
	if err != nil {
		return err
	}
	if err := partners(graph, "http://"+at); err != nil {
		return err
	}
	env := world.Environment()
	has := hands{
		Company: "northwind", PublicKey: env["CW_PUBLIC_KEY"], PrivateKey: env["CW_PRIVATE_KEY"], ClientID: env["CW_CLIENT_ID"],
		Tenant: partnerDomain, App: partnerApp, Secret: partnerSecret,
	}
	var microsoft string
	for of, h := range map[*string]http.Handler{&has.Site: manage, &microsoft: graph.Handler(), &has.Manage: manage.Management(), &has.Microsoft: graph.Control()} {
		if *of, err = serve(ctx, h); err != nil {
			return err
		}
	}
	p.set("TRUEUP_MICROSOFT_LOGIN_URL", microsoft+"/login", "TRUEUP_MICROSOFT_GRAPH_URL", microsoft+"/graph",
		"TRUEUP_PARTNER_CENTER_URL", microsoft+"/partnercenter", "TRUEUP_ALLOW_PRIVATE_UPSTREAMS", "true",
		"TRUEUP_DATA_DIR", filepath.Join(dir, "data"), "TRUEUP_MANAGE_CALLS_PER_MINUTE", "0", "TRUEUP_LOG_LEVEL", "error",
		"TRUEUP_LISTEN", at, "TRUEUP_PUBLIC_URL", "http://"+at, "TRUEUP_ROLES", "web,worker,clock")
	r := ready{Hands: &has}
	if r.Mails, err = post(ctx, &p); err != nil {
		return err
	}
	return p.serve(ctx, r)
}

// partners makes the app to which the partner's admin signs in. Its customers have not let
// it in.
func partners(graph *microsoftsim.Sim, url string) error {
	tenant := microsoftsim.ID("tenant", partnerDomain)
	scopes := []string{"Organization.Read.All", "User.Read.All", "Directory.Read.All", "DelegatedAdminRelationship.Read.All", "user_impersonation"}
	return errors.Join(
		graph.AddApp(microsoftsim.App{
			ID: partnerApp, TenantID: tenant, MultiTenant: true, Public: true, Scopes: scopes,
			Secrets: []microsoftsim.Secret{{Value: partnerSecret}}, RedirectURIs: []string{url + "/api/v1/consent/callback"},
		}),
		graph.SetConsent(tenant, microsoftsim.Consent{AppID: partnerApp, Scopes: scopes}),
	)
}
