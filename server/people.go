package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"trueup/plugin"
	"trueup/server/account"
	"trueup/server/api"
	"trueup/server/billing"
	"trueup/server/store"
	"trueup/server/upstream"
)

// accounts are people and their sessions, over the store.
func (p *product) accounts() (*account.Accounts, error) {
	m, err := p.mailer()
	if err != nil {
		return nil, err
	}
	cfg := account.Config{
		Rows: p.store, In: func(w billing.WorkspaceID) account.Workspace { return p.store.In(w) },
		HTTP:      p.upstream.HTTP(upstream.Target{Name: "openid", Typed: true}),
		PublicURL: p.Settings.publicURL(), AllowHTTP: p.Settings.AllowPrivate, Log: p.log, Now: p.now,
	}
	if m != nil {
		cfg.Mailer = postman{m}
	}
	return account.New(cfg)
}

// people knows whoever has a session, an API token, or a session of a screen inside Manage.
type people struct {
	accounts *account.Accounts
	p        *product
}

var _ api.People = people{}

// Authenticate knows somebody by Authorization: Bearer, else by the session's cookie.
func (k people) Authenticate(ctx context.Context, r *http.Request, from account.Client) (account.Principal, error) {
	var cr account.Credentials
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		cr.Bearer = strings.TrimSpace(token)
	}
	if _, ok := plugin.TokenHash(cr.Bearer); ok {
		return embedPrincipal(ctx, k.p.store, cr.Bearer, from, k.p.now())
	}
	if c, err := r.Cookie(k.accounts.SessionCookie(account.Issued{}).Name); err == nil {
		cr.Cookie = c.Value
	}
	return k.accounts.Authenticate(ctx, cr, from)
}

// usersBook is the accounts with the audit, which the store keeps for all screens.
type usersBook struct {
	*account.Accounts

	store *store.Store
}

// Zone is the workspace's time zone.
func (b usersBook) Zone(ctx context.Context, w billing.WorkspaceID) (*time.Location, error) {
	set, err := b.store.In(w).Settings(ctx)
	if err != nil {
		return nil, err
	}
	return time.LoadLocation(set.Workspace.Zone)
}

// Audit is a page of the audit with the customers that it names.
func (b usersBook) Audit(ctx context.Context, w billing.WorkspaceID, f api.AuditAsk) (api.AuditShown, error) {
	var shown api.AuditShown
	var err error
	in := b.store.In(w)
	if shown.Entries, shown.Next, err = in.AuditEntries(ctx, store.AuditFilter(f)); err != nil {
		if errors.Is(err, store.ErrInvalid) {
			return shown, api.Faulty("cursor", "wrong_form", "It isn't one that a page before gave. Begin again without it.")
		}
		return shown, err
	}
	shown.Customers = map[billing.CustomerID]billing.Customer{}
	for _, e := range shown.Entries {
		if e.Customer == 0 || len(shown.Customers) > 0 {
			continue
		}
		all, err := in.Customers(ctx)
		if err != nil {
			return shown, err
		}
		for _, c := range all {
			shown.Customers[c.ID] = c
		}
	}
	return shown, nil
}

// firstLinkFile is where the link of the first administrator is put where nobody looks at
// what the program prints, such as under systemd, whose log must not have it.
const firstLinkFile = "first-admin.txt"

// tellFirst gives whoever starts the service the link of the first administrator, where
// there is no user yet: on the terminal, else in a file that only the owner may read.
func (p *product) tellFirst(ctx context.Context, a *account.Accounts, out io.Writer) error {
	path := filepath.Join(p.Settings.DataDir, firstLinkFile)
	link, made, err := a.FirstLink(ctx)
	if err != nil {
		return err
	}
	if !made {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the old link of the first administrator: %w", err)
		}
		return nil
	}
	if terminal(out) {
		fmt.Fprintf(out, "There is no user yet. Whoever opens this link within an hour becomes the administrator:\n  %s\n", link)
		return nil
	}
	if err := writeOwn(path, link+"\n"); err != nil {
		// A read-only container can serve all the same.
		p.log.WarnContext(ctx, "the link of the first administrator has no place", "file", path, "error", err)
		fmt.Fprintln(out, "There is no user yet; `trueup user add EMAIL` makes one.")
		return nil
	}
	fmt.Fprintf(out, "There is no user yet. The link of the first administrator, good for an hour, is in %s\n", path)
	return nil
}

// writeOwn writes a file that only the owner may read, also where one is that others may.
func writeOwn(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		return err //nolint:wrapcheck // the caller says what for
	}
	return errors.Join(os.Chmod(fresh, 0o600), os.Rename(fresh, path))
}
