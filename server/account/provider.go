package account

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"trueup/server/billing"
)

// openidClient is a provider that was asked for its endpoints and keys.
type openidClient struct {
	billing.Provider

	discovery *oidc.Provider
	oauth     oauth2.Config
}

// discovered keeps what providers said of themselves, until their settings change. Keys
// that a provider renews are read anew by the library.
type discovered struct {
	mu   sync.Mutex
	kept map[billing.ProviderID]*openidClient
}

func newDiscovered() *discovered {
	return &discovered{kept: map[billing.ProviderID]*openidClient{}}
}

// provider is a provider that can be signed in with.
func (a *Accounts) provider(ctx context.Context, id billing.ProviderID) (*openidClient, error) {
	p, secret, err := a.rows.ProviderWithSecret(ctx, id)
	if errors.Is(err, billing.ErrNotFound) {
		return nil, errNotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("read a provider: %w", err)
	}
	a.openid.mu.Lock()
	kept := a.openid.kept[id]
	a.openid.mu.Unlock()
	if kept != nil && kept.Version == p.Version {
		return kept, nil
	}
	at, err := a.discover(ctx, p, secret)
	if err != nil {
		return nil, err
	}
	a.openid.mu.Lock()
	defer a.openid.mu.Unlock()
	a.openid.kept[id] = at
	return at, nil
}

// discover reads a provider's endpoints.
// https://openid.net/specs/openid-connect-discovery-1_0.html
func (a *Accounts) discover(ctx context.Context, p billing.Provider, secret string) (*openidClient, error) {
	if a.cfg.HTTP == nil {
		return nil, errors.New("ask a provider for its endpoints: no client to do it with")
	}
	// The library keeps the context for reading keys later: it must not end with this
	// request.
	d, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), a.cfg.HTTP), p.Issuer)
	if err != nil {
		return nil, &Error{
			Class: Invalid, Code: "provider_unreachable", Field: "issuer", Sentence: "The provider doesn't answer as an OpenID provider of this issuer does.",
			Action: "Check the issuer; it must be written exactly as the provider names itself.", Cause: err,
		}
	}
	return &openidClient{Provider: p, discovery: d, oauth: oauth2.Config{
		ClientID: p.ClientID, ClientSecret: secret, Endpoint: d.Endpoint(), RedirectURL: a.CallbackURL(),
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}}, nil
}

// Provider is the provider of the principal's workspace.
func (a *Accounts) Provider(ctx context.Context, p Principal) (billing.Provider, error) {
	if !p.May(Admin) {
		return billing.Provider{}, errForbidden()
	}
	pr, err := a.cfg.In(p.Workspace).Provider(ctx)
	return pr, found(err, "read the provider")
}

// SaveProvider sets the provider of the workspace, after it was asked for its endpoints.
// A nil secret leaves the one that is kept.
func (a *Accounts) SaveProvider(ctx context.Context, p Principal, pr billing.Provider, secret *string, c Client) (billing.Provider, error) {
	if !p.May(Admin) {
		return pr, errForbidden()
	}
	if p.Kind != BySession {
		return pr, errBySession()
	}
	pr.Workspace = p.Workspace
	if err := a.checkProvider(&pr); err != nil {
		return pr, err
	}
	was, err := a.cfg.In(p.Workspace).Provider(ctx)
	if err != nil && !errors.Is(err, billing.ErrNotFound) {
		return pr, fmt.Errorf("read the provider: %w", err)
	}
	if !was.HasSecret && secret == nil || secret != nil && *secret == "" || secret == nil && was.Issuer != pr.Issuer {
		// A kept secret never goes to another issuer than the one it was given for.
		return pr, errInvalid("clientSecret", "The client secret is missing.", "Give the secret that the provider shows for this client.")
	}
	if _, err := a.discover(ctx, pr, ""); err != nil {
		return pr, err
	}
	e := entry(p, c, "provider_saved", "Set the provider that people sign in with.")
	e.SubjectKind, e.SubjectName = "provider", pr.Name
	if err == nil && was.ID != 0 {
		e.Before = providerFields(was)
	}
	e.After = providerFields(pr)
	if err := a.cfg.In(p.Workspace).SaveProvider(ctx, pr, secret, e); err != nil {
		return pr, fmt.Errorf("save the provider: %w", err)
	}
	return a.Provider(ctx, p)
}

func providerFields(p billing.Provider) map[string]any {
	return map[string]any{"name": p.Name, "issuer": p.Issuer, "clientId": p.ClientID, "domains": p.Domains}
}

// RemoveProvider takes the provider away; sessions that it began end.
func (a *Accounts) RemoveProvider(ctx context.Context, p Principal, c Client) error {
	was, err := a.Provider(ctx, p)
	if err != nil {
		return err
	}
	e := entry(p, c, "provider_removed", "Took the provider away that people signed in with.")
	e.SubjectKind, e.SubjectName, e.Before = "provider", was.Name, providerFields(was)
	return found(a.cfg.In(p.Workspace).RemoveProvider(ctx, e), "remove the provider")
}

// uuid is how Entra writes a tenant in its issuers; common and organizations are no tenant.
var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

var domainName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)

// checkProvider says what of a provider can't be, and brings its domains into their form.
// Entra may be named by its tenant's id alone.
func (a *Accounts) checkProvider(p *billing.Provider) error {
	var err error
	if p.Name, err = nameOf(p.Name); err != nil {
		return err
	}
	p.Issuer = EntraIssuer(p.Issuer)
	u, err := url.Parse(p.Issuer)
	plain := err == nil && u.Scheme == "http" && a.cfg.AllowHTTP
	if err != nil || u.Scheme != "https" && !plain || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || len(p.Issuer) > 2000 {
		return errInvalid("issuer", "That is no https address of a provider.", "Give the issuer as the provider names it; for Entra, the tenant's id is enough.")
	}
	if tenant := entraTenant(p.Issuer); net.ParseIP(u.Hostname()) == nil && slices.Contains(entraHosts(), strings.ToLower(u.Hostname())) && !uuid.MatchString(tenant) {
		return errInvalid("issuer", "The issuer names no tenant, so everybody with a Microsoft account could sign in.", "Give the tenant's id in the place of common or of a domain.")
	}
	if p.ClientID = strings.TrimSpace(p.ClientID); p.ClientID == "" || len(p.ClientID) > 200 {
		return errInvalid("clientId", "The client id is missing.", "Give the id that the provider shows for this client.")
	}
	for i, d := range p.Domains {
		p.Domains[i] = strings.ToLower(strings.TrimSpace(d))
		if !domainName.MatchString(p.Domains[i]) {
			return errInvalid("domains", "That is no domain of e-mail addresses.", "Give a domain such as msp.example.")
		}
	}
	slices.Sort(p.Domains)
	if p.Domains = slices.Compact(p.Domains); len(p.Domains) == 0 || len(p.Domains) > 50 {
		return errInvalid("domains", "It is missing of which addresses the provider speaks.", "Give at least one domain, such as msp.example.")
	}
	return nil
}

// EntraIssuer is the issuer of an Entra tenant in the global cloud, for a tenant's id; any
// other text is an issuer already and stays as it is.
func EntraIssuer(text string) string {
	text = strings.TrimSpace(text)
	if tenant := strings.ToLower(text); uuid.MatchString(tenant) {
		return "https://login.microsoftonline.com/" + tenant + "/v2.0"
	}
	return text
}
