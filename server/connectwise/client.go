package connectwise

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"trueup/server/billing"
	"trueup/server/upstream"
)

// Config is what New needs: where the Manage is, who calls, and through what.
type Config struct {
	// Site is a cloud host (na.myconnectwise.net, with or without api-), a sandbox,
	// staging, an own host, or a whole address.
	Site string
	// Company is the login company, as typed on the sign-in page.
	Company string
	// PublicKey and PrivateKey are the keys of an API member.
	PublicKey, PrivateKey string
	// ClientID is the GUID from developer.connectwise.com/ClientID.
	ClientID string
	// Upstream makes the calls; required.
	Upstream *upstream.Client
	// Budget is the calls a minute of the workspace; nil: no limit.
	Budget *upstream.Budget
	// Log gets what a call's error doesn't say; nil: nothing is logged.
	Log *slog.Logger
	// Now is the clock by which kept billing cycles grow old; nil: time.Now.
	Now func() time.Time
}

// Client calls one Manage as one API member. It is safe for concurrent use; keep one
// per workspace, since it remembers the codebase and the billing cycles.
type Client struct {
	site          site
	company       string
	user, private string // of the authorization header
	clientID      string
	http          *http.Client
	log           *slog.Logger
	now           func() time.Time

	reading chan struct{} // held while known is used; a channel, so that waiting ends with the context
	known   string        // codebase

	cyclesMu     sync.Mutex
	cycles       map[int]billing.Cycle
	cyclesReadAt time.Time
}

// New checks the config and makes a client; nothing is called yet. A fault of the
// config is a *SetupError. A missing ClientID is left to Test and to Manage's answer.
func New(cfg Config) (*Client, error) {
	// What is pasted often brings a space or a line break along.
	for _, typed := range []*string{&cfg.Company, &cfg.PublicKey, &cfg.PrivateKey, &cfg.ClientID} {
		*typed = strings.TrimSpace(*typed)
	}
	s, err := readSite(cfg.Site)
	if err != nil {
		return nil, &SetupError{Kind: WrongSite, Err: err}
	}
	if cfg.Company == "" || len(cfg.Company) > 100 || strings.ContainsFunc(cfg.Company, notInCompany) {
		return nil, &SetupError{Kind: WrongCompany, Err: errors.New("the company id is empty or has characters that no company id has")}
	}
	if !printable(cfg.ClientID) {
		return nil, &SetupError{Kind: MissingClientID, Err: errors.New("the client id has characters that no client id has")}
	}
	if cfg.PublicKey == "" || cfg.PrivateKey == "" {
		return nil, &SetupError{Kind: WrongKey, Err: errors.New("the public or the private key is empty")}
	}
	if cfg.Upstream == nil {
		return nil, errors.New("make the connectwise client: no upstream client")
	}
	c := &Client{
		site:     s,
		company:  cfg.Company,
		user:     cfg.Company + "+" + cfg.PublicKey,
		private:  cfg.PrivateKey,
		clientID: cfg.ClientID,
		http:     cfg.Upstream.HTTP(upstream.Target{Name: "connectwise", Typed: true, Budget: cfg.Budget}),
		log:      cfg.Log,
		now:      cfg.Now,
		reading:  make(chan struct{}, 1),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	return c, nil
}

// notInCompany names what would end the company's place in a path or in the
// authorization header.
func notInCompany(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`/\:?#%+`, r) }

// printable keeps out what a header can't hold.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// call is one request. route is the pattern that logs and errors show; ids fill its
// {id} places in order; query is encoded already.
type call struct {
	method, route string
	ids           []int
	query         string
	forwardOnly   bool
	body          any
}

// path fills the route's places.
func (q call) path() string {
	p := q.route
	for _, id := range q.ids {
		p = strings.Replace(p, "{id}", strconv.Itoa(id), 1)
	}
	return p
}

// do makes a call and decodes the answer into out (nil: no answer is wanted).
func (c *Client) do(ctx context.Context, q call, out any) error {
	resp, err := c.roundTrip(ctx, q)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return decodeError(q.route, err)
	}
	return nil
}

// roundTrip makes a call and returns an answer with status 2xx. A 404 may mean that
// the Manage was upgraded: then, and only if the codebase really changed, the call is
// made once more; a 404 did nothing, so this holds for writes too. If the codebase
// can't be read, that is the error: a 404 that nobody confirmed must not pass for
// "deleted".
func (c *Client) roundTrip(ctx context.Context, q call) (*http.Response, error) {
	codebase, err := c.codebase(ctx, "")
	if err != nil {
		return nil, err
	}
	resp, err := c.attempt(ctx, codebase, q)
	if !hasStatus(err, http.StatusNotFound) {
		return resp, err
	}
	now, readErr := c.codebase(ctx, codebase)
	if readErr != nil {
		return nil, fmt.Errorf("ask for the codebase after status 404: %w", readErr)
	}
	if now == codebase {
		return nil, err
	}
	return c.attempt(ctx, now, q)
}

func (c *Client) attempt(ctx context.Context, codebase string, q call) (*http.Response, error) {
	var body io.Reader
	if q.body != nil {
		b, err := json.Marshal(q.body)
		if err != nil {
			return nil, fmt.Errorf("write the body of %s %s: %w", q.method, q.route, err)
		}
		body = bytes.NewReader(b)
	}
	address := c.site.scheme + "://" + c.site.api + "/" + codebase + "/apis/3.0" + q.path()
	if q.query != "" {
		address += "?" + q.query
	}
	req, err := http.NewRequestWithContext(ctx, q.method, address, body)
	if err != nil {
		return nil, fmt.Errorf("make the request %s %s", q.method, q.route) // the cause repeats the address
	}
	// "Developer Guide", Authentication and Versioning. No version is asked for: a
	// Manage that is older than the version would refuse it, and new fields don't
	// break us.
	req.SetBasicAuth(c.user, c.private)
	req.Header.Set("Clientid", c.clientID)
	req.Header.Set("Accept", "application/vnd.connectwise.com+json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if q.forwardOnly {
		req.Header.Set("Pagination-Type", "forward-only")
	}
	return c.exchange(req, q.route)
}

// exchange sends a request and turns everything but status 2xx into an error.
func (c *Client) exchange(req *http.Request, route string) (*http.Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, callError(req.Context(), req.Method, route, err)
	}
	if resp.StatusCode/100 != 2 {
		defer func() { _ = resp.Body.Close() }()
		return nil, apiError(req.Method, route, resp)
	}
	return resp, nil
}
