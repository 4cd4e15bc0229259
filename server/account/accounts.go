package account

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/alexedwards/scs/v2"

	"trueup/server/billing"
)

// Config is what New needs.
type Config struct {
	Rows Rows
	// In is what is kept of one workspace.
	In func(billing.WorkspaceID) Workspace
	// Mailer may be nil.
	Mailer Mailer
	// HTTP calls OpenID providers, whose addresses a person typed: it must refuse private
	// addresses and cap what it reads. nil: nobody can sign in with a provider.
	HTTP *http.Client
	// PublicURL is where people reach Trueup, such as https://trueup.example; links and
	// the address that providers send back to begin with it.
	PublicURL string
	// AllowHTTP lets providers speak plain http, for simulators and tests.
	AllowHTTP bool
	Log       *slog.Logger     // default: nothing is logged
	Now       func() time.Time // default time.Now

	// Hashing is what one password costs; default 19 MiB, 2 passes, 1 lane, as OWASP
	// recommends. Hashers is how many are hashed at once (default half the processors,
	// at least one), so memory for it never exceeds Hashers times Hashing.Memory; Queue
	// is how many wait for that (default 64), further ones are refused at once.
	Hashing argon2id.Params
	Hashers int
	Queue   int
	// Idle is after how long without use a session ends; default 2 hours. At the latest
	// it ends when the workspace's policy says so.
	Idle time.Duration
}

// Accounts is everything that people do with their accounts. It is safe for concurrent
// use, and any number of processes share its rows.
type Accounts struct {
	cfg      Config
	rows     Rows
	now      func() time.Time
	log      *slog.Logger
	hasher   *hasher
	sessions *scs.SessionManager
	openid   *discovered
	after    sync.WaitGroup // what is done after an answer
}

// How long what proves something lives.
const (
	firstLife      = time.Hour
	resetLife      = time.Hour
	invitationLife = 7 * 24 * time.Hour
	challengeLife  = 10 * time.Minute // between password and second factor
	flowLife       = 10 * time.Minute // at the provider
	touchEvery     = time.Minute
)

// New checks the config and makes the accounts.
func New(cfg Config) (*Accounts, error) {
	if cfg.Rows == nil || cfg.In == nil {
		return nil, errors.New("make the accounts: no rows to keep them in")
	}
	u, err := url.Parse(cfg.PublicURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("make the accounts: the public address is no http address")
	}
	cfg.PublicURL = strings.TrimSuffix(cfg.PublicURL, "/")
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Idle <= 0 {
		cfg.Idle = 2 * time.Hour
	}
	h, err := newHasher(cfg.Hashing, cfg.Hashers, cfg.Queue)
	if err != nil {
		return nil, fmt.Errorf("make the accounts: %w", err)
	}
	a := &Accounts{cfg: cfg, rows: cfg.Rows, now: cfg.Now, log: cfg.Log, hasher: h, openid: newDiscovered()}
	a.sessions = newSessions(a)
	return a, nil
}

// Close waits for what is being done after answers: mails, and notes of failures.
func (a *Accounts) Close() { a.after.Wait() }

// later does something after the answer, where its duration would tell a stranger whether
// an account exists.
func (a *Accounts) later(ctx context.Context, f func(context.Context)) {
	ctx = context.WithoutCancel(ctx)
	a.after.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		f(ctx)
	})
}

// CanMail says whether links go by mail.
func (a *Accounts) CanMail() bool { return a.cfg.Mailer != nil }

// Link is a one-time link: what became of it.
type Link struct {
	Sent bool   // it went by mail; then there is no URL
	URL  string // to hand over; shown this once
	Ends time.Time
}

// link is the address of a page with a secret behind the #, which browsers send to nobody
// and no log sees.
func (a *Accounts) link(page, secret string) string {
	return a.cfg.PublicURL + "/" + page + "#" + secret
}

// send mails a link, or hands it to the admin where that isn't possible.
func (a *Accounts) send(ctx context.Context, link string, ends time.Time, mail func(context.Context) error) Link {
	if a.cfg.Mailer != nil {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		err := mail(ctx)
		if err == nil {
			return Link{Sent: true, Ends: ends}
		}
		a.log.WarnContext(ctx, "a mail with a link was not sent; it is shown instead", "error", err)
	}
	return Link{URL: link, Ends: ends}
}

// entry begins what the audit says of something that a principal does.
func entry(p Principal, c Client, action, text string) billing.AuditEntry {
	return billing.AuditEntry{Actor: p.Actor(c), Action: action, Text: text}
}

// about says whom an entry is about.
func about(e billing.AuditEntry, u billing.User) billing.AuditEntry {
	e.SubjectKind, e.SubjectID, e.SubjectName = "user", fmt.Sprint(u.ID), u.Email
	return e
}

// self is an entry of what a person did to their own account before a session stands.
func self(u billing.User, c Client, action, text string) billing.AuditEntry {
	return about(billing.AuditEntry{
		Actor:  billing.Actor{Kind: "user", User: u.ID, Name: u.Name, Address: c.Address, Request: c.Request},
		Action: action, Text: text,
	}, u)
}
