package microsoft

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// Cloud is one of Microsoft's separate clouds: where to sign in and what to ask.
// App registrations and tokens of one cloud are worth nothing in another.
type Cloud struct{ Login, Graph, PartnerCenter string }

// CloudOf gives the addresses of a cloud by name: global (GCC too), gccHigh (US L4),
// dod (US L5) and china (21Vianet). "" is global. (Graph documentation, "National
// cloud deployments"; Entra documentation, "National clouds"; Partner Center
// documentation, "Partner Center REST URLs".)
func CloudOf(name string) (Cloud, error) {
	switch name {
	case "", "global":
		return Cloud{"https://login.microsoftonline.com", "https://graph.microsoft.com", "https://api.partnercenter.microsoft.com"}, nil
	case "gccHigh":
		return Cloud{"https://login.microsoftonline.us", "https://graph.microsoft.us", "https://api.partnercenter.microsoft.com"}, nil
	case "dod":
		return Cloud{"https://login.microsoftonline.us", "https://dod-graph.microsoft.us", "https://api.partnercenter.microsoft.com"}, nil
	case "china":
		return Cloud{"https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn", "https://partner.partnercenterapi.microsoftonline.cn"}, nil
	}
	return Cloud{}, fmt.Errorf("there is no Microsoft cloud %q: it is one of global, gccHigh, dod, china", name)
}

// Config is what New needs. Only Upstream must be given.
type Config struct {
	// LoginURL, GraphURL and PartnerCenterURL replace the addresses of the global
	// cloud, for connections that name no other; "": Microsoft's own.
	LoginURL, GraphURL, PartnerCenterURL string
	// Upstream makes the outgoing calls: retries, breaker, caps.
	Upstream *upstream.Client
	// SaveRefreshToken keeps a rotated refresh token of a partner consent, encrypted,
	// before it is used for anything else. When it fails the token stays in memory
	// and the connection's next token waits until it is saved. nil: not kept, which
	// only tests and commands that read once may do.
	SaveRefreshToken func(ctx context.Context, connection billing.ConnectionID, token string) error
	// SKUName names a license in the evidence; nil: the built-in table's SKUName.
	SKUName func(id billing.SKUID, part string) string
	Log     *slog.Logger     // nil: nothing is logged
	Now     func() time.Time // nil: time.Now
}

// Client asks Microsoft. It is safe for concurrent use and keeps tokens in memory.
type Client struct {
	cfg    Config
	global Cloud
	login  *http.Client
	graph  *http.Client
	center *http.Client
	tokens *tokens
	// wait is between two attempts of a batch's items.
	wait func(context.Context, time.Duration) error
}

// partnerCenterBudget is the calls a minute to Partner Center; it allows 500 for
// customers and subscriptions (Partner Center documentation, "API throttling").
const partnerCenterBudget = 450

// New checks the config, all of it at once, and makes a client.
func New(cfg Config) (*Client, error) {
	global, err := CloudOf("global")
	if err != nil {
		return nil, err
	}
	var faults []error
	if cfg.Upstream == nil {
		faults = append(faults, errors.New("the upstream client is missing"))
	}
	for _, u := range []struct {
		name, given string
		into        *string
	}{{"login", cfg.LoginURL, &global.Login}, {"Graph", cfg.GraphURL, &global.Graph}, {"Partner Center", cfg.PartnerCenterURL, &global.PartnerCenter}} {
		if u.given == "" {
			continue
		}
		base, err := baseURL(u.given)
		if err != nil {
			faults = append(faults, fmt.Errorf("the %s address: %w", u.name, err))
		}
		*u.into = base
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("make the Microsoft client: %w", errors.Join(faults...))
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SKUName == nil {
		cfg.SKUName = SKUName
	}
	return &Client{
		cfg: cfg, global: global, wait: sleep, tokens: newTokens(),
		login:  cfg.Upstream.HTTP(upstream.Target{Name: "microsoft_login"}),
		graph:  cfg.Upstream.HTTP(upstream.Target{Name: "graph"}),
		center: cfg.Upstream.HTTP(upstream.Target{Name: "partner_center", Budget: upstream.NewBudget(partnerCenterBudget, 0)}),
	}, nil
}

// baseURL checks an address of the settings and takes its last slash off.
func baseURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return "", errors.New("it must be an absolute http or https address")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("it must have no user, query or fragment")
	}
	return strings.TrimSuffix(u.Scheme+"://"+u.Host+u.EscapedPath(), "/"), nil
}

// cloud is where a credential belongs.
func (c *Client) cloud(cred Credential) (Cloud, error) {
	if cred.Cloud == "" || cred.Cloud == "global" {
		return c.global, nil
	}
	return CloudOf(cred.Cloud)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
