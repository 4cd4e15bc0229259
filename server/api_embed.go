package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"trueup/plugin"
	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/store"
	"trueup/server/upstream"
)

// embedBook makes frames known, and shows the record that they stand on.
type embedBook struct {
	p        *product
	sessions *plugin.Sessions
	links    linksBook
}

var _ api.EmbedBook = embedBook{}

func newEmbedBook(p *product, links linksBook) (embedBook, error) {
	s, err := plugin.NewSessions(plugin.SessionsConfig{Rows: embedRows{p.store}, Now: func() time.Time { return p.now() }})
	return embedBook{p, s, links}, err
}

// of is the workspace of a key and its settings; ErrNotFound.
func (b embedBook) of(ctx context.Context, key string) (billing.WorkspaceID, *store.Settings, error) {
	w, err := b.p.store.WorkspaceByEmbedKey(ctx, key)
	if err != nil {
		return 0, nil, err
	}
	set, err := b.p.store.In(w).Settings(ctx)
	return w, set, err
}

func fallbackForbidden() error {
	return &api.Refusal{
		Status: http.StatusForbidden, Code: "fallback_forbidden", Detail: "The workspace does not allow to sign in from here.",
		Action: "Open the page in the web client of ConnectWise, or open the dashboard.",
	}
}

// BeginEmbed gives a nonce.
func (b embedBook) BeginEmbed(ctx context.Context, key string, fallback bool, c account.Client) (plugin.Challenge, bool, error) {
	w, set, err := b.of(ctx, key)
	if err != nil {
		return plugin.Challenge{}, false, err
	}
	allowed := set.Workspace.EmbedFallback
	if fallback && !allowed {
		return plugin.Challenge{}, false, fallbackForbidden()
	}
	challenge, err := b.sessions.Challenge(ctx, int64(w), fallback, c.Address)
	return challenge, allowed, err
}

// embedManage is the Manage of a workspace, for a person who waits.
func (b embedBook) embedManage(ctx context.Context, w billing.WorkspaceID) (*manage, error) {
	m, err := b.p.manageNow(ctx, w)
	if none, ok := errors.AsType[*notConnected](err); ok {
		return nil, &api.Refusal{
			Status: http.StatusConflict, Code: "manage_not_connected", Detail: none.Text(), Action: "Ask an administrator to finish the set-up.", Cause: none,
		}
	}
	return m, err
}

// OpenEmbed makes a session for whom the workspace's own Manage vouches.
func (b embedBook) OpenEmbed(ctx context.Context, key string, o plugin.Opening) (api.EmbedOpened, error) {
	w, _, err := b.of(ctx, key)
	if err != nil {
		return api.EmbedOpened{}, err
	}
	m, err := b.embedManage(ctx, w)
	if err != nil {
		return api.EmbedOpened{}, err
	}
	o.Workspace = int64(w)
	opened, err := b.sessions.Open(upstream.WithOnDemand(ctx), o, func(ctx context.Context) (plugin.Vouching, error) {
		a, err := m.Client.Access(ctx)
		if err != nil {
			return plugin.Vouching{}, &plugin.VouchError{Err: err}
		}
		return plugin.Vouching{API: a.API, Company: a.Company, ClientID: a.ClientID, HTTP: a.HTTP}, nil
	})
	return b.opened(ctx, opened, o.Address, err)
}

func (b embedBook) opened(ctx context.Context, o plugin.Opened, address string, err error) (api.EmbedOpened, error) {
	if err != nil {
		return api.EmbedOpened{}, err
	}
	who, err := embedPrincipal(ctx, b.p.store, o.Token, account.Client{Address: address}, b.p.now())
	return api.EmbedOpened{Token: o.Token, Who: who}, err
}

// EmbedCode makes a code for a window of a person who is signed in to the key's workspace:
// what they owe there, such as a second factor, was asked for already.
func (b embedBook) EmbedCode(ctx context.Context, p account.Principal, key, challenge string) (plugin.Code, error) {
	w, set, err := b.of(ctx, key)
	if err != nil {
		return plugin.Code{}, err
	}
	if !set.Workspace.EmbedFallback {
		return plugin.Code{}, fallbackForbidden()
	}
	if p.Workspace != w {
		return plugin.Code{}, &api.Refusal{
			Status: http.StatusForbidden, Code: "other_workspace", Detail: "You are signed in to another workspace than this page's.",
			Action: "Choose the workspace of the page, then try again; if you are not in it, ask an administrator.",
		}
	}
	return b.sessions.Code(ctx, int64(w), int64(p.User), challenge)
}

// ExchangeEmbed makes a session for a person who signed in at the window.
func (b embedBook) ExchangeEmbed(ctx context.Context, key string, e plugin.Exchanging) (api.EmbedOpened, error) {
	w, set, err := b.of(ctx, key)
	if err != nil {
		return api.EmbedOpened{}, err
	}
	if !set.Workspace.EmbedFallback {
		return api.EmbedOpened{}, fallbackForbidden()
	}
	m, err := b.embedManage(ctx, w)
	if err != nil {
		return api.EmbedOpened{}, err
	}
	e.Workspace = int64(w)
	opened, err := b.sessions.Exchange(upstream.WithOnDemand(ctx), e, m.record)
	return b.opened(ctx, opened, e.Address, err)
}

// record reads a record with the rights of the program.
func (m *manage) record(ctx context.Context, kind plugin.RecordKind, id int) (plugin.Record, error) {
	r := plugin.Record{Kind: kind, ID: id, Company: id}
	if kind == plugin.AgreementRecord {
		a, err := m.Client.Agreement(ctx, billing.AgreementID(id))
		if err != nil {
			return r, unread(err)
		}
		if a.Deleted {
			return r, plugin.ErrNoRecord
		}
		r.Name, r.Company = a.Name, int(a.Company)
	}
	c, err := m.Client.Company(ctx, billing.CompanyID(r.Company))
	if err != nil {
		return r, unread(err)
	}
	if c.Deleted {
		return r, plugin.ErrNoRecord
	}
	r.CompanyName = c.Name
	if kind == plugin.CompanyRecord {
		r.Name = c.Name
	}
	return r, nil
}

func unread(err error) error {
	if connectwise.IsNotFound(err) {
		return plugin.ErrNoRecord
	}
	return &plugin.VouchError{Err: err}
}

// EndEmbed ends a session.
func (b embedBook) EndEmbed(ctx context.Context, w billing.WorkspaceID, r account.Record) error {
	return b.p.store.In(w).EndEmbedSession(ctx, r.Session)
}

// Administrators are names of some who can give access.
func (b embedBook) Administrators(ctx context.Context, w billing.WorkspaceID) ([]string, error) {
	return b.p.store.In(w).Administrators(ctx)
}

// accessEvery is how often one may ask for access, after the second time.
const accessEvery = time.Hour

// AskAccess keeps in the audit that somebody asks for access.
func (b embedBook) AskAccess(ctx context.Context, by billing.Actor, w billing.WorkspaceID, r account.Record) error {
	subject := sha256.Sum256(fmt.Appendf(nil, "embed-access:%d:%s:%d", w, by.Member, by.User))
	wait, err := b.p.store.Attempt(ctx, subject[:], b.p.now(), 1, accessEvery, accessEvery, accessEvery)
	if err != nil || wait > 0 {
		return err
	}
	return b.p.store.In(w).Audit(ctx, billing.AuditEntry{
		Actor: by, Action: "access_asked", Text: "Asked for access from inside ConnectWise.", SubjectKind: r.Screen, SubjectID: strconv.Itoa(r.ID),
		SubjectName: r.Name,
	})
}
