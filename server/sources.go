package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"trueup/server/billing"
	"trueup/server/connectwise"
	"trueup/server/microsoft"
	"trueup/server/store"
	"trueup/server/upstream"
	"trueup/server/workspace"
)

// sources are where the names of a workspace file are looked up, with the connections as
// they will be: they are asked before anything of them is stored.
func (p *product) sources(d *desk) func(context.Context, workspace.ManageConnection, []workspace.MicrosoftConnection) (workspace.Sources, error) {
	return func(_ context.Context, m workspace.ManageConnection, _ []workspace.MicrosoftConnection) (workspace.Sources, error) {
		s := workspace.Sources{
			Microsoft: &msNames{p.rooms, d}, Told: told, PartNumbers: partNumbers(microsoft.BuiltInSKUs().Products()),
		}
		if !m.IsSet() {
			return s, nil
		}
		client, err := p.rooms.newManage(manageSettings{m.Site, m.Company, m.PublicKey.Reveal(), m.ClientID.Reveal()}, m.PrivateKey.Reveal())
		if err != nil {
			return s, nil //nolint:nilerr // an incomplete connection is told as a fault of the file, with its line
		}
		s.Manage = manageNames{client.Client, d.currencies}
		return s, nil
	}
}

// told gives the words that an adapter has for its error.
func told(err error) (code, text, action string, ok bool) {
	if code, text, action, ok = connectwise.Told(err); ok {
		return code, text, action, ok
	}
	if auth, ok := errors.AsType[*microsoft.AuthError](err); ok {
		return auth.Reason(), auth.Text(), auth.Action(), true
	}
	return "", "", "", false
}

// partNumbers finds the SKU ids of a part number in a table.
func partNumbers(table []microsoft.Product) func(string) []billing.SKUID {
	return func(part string) []billing.SKUID {
		var ids []billing.SKUID
		for _, p := range table {
			if strings.EqualFold(p.Part, part) {
				ids = append(ids, p.SKU)
			}
		}
		return ids
	}
}

// manageNames looks up what a file names in Manage, a list in one call where it fits.
// A person waits for it, so it may use the extra part of the budget.
type manageNames struct {
	client     *connectwise.Client
	currencies map[string]bool // of the agreements, noted; nil: nobody asks
}

func (m manageNames) Companies(ctx context.Context, identifiers []string) ([]billing.Company, error) {
	return m.client.CompanyList(upstream.WithOnDemand(ctx), connectwise.CompanyQuery{Identifiers: identifiers})
}

func (m manageNames) AgreementTypes(ctx context.Context) ([]billing.AgreementType, error) {
	return m.client.AgreementTypes(upstream.WithOnDemand(ctx))
}

func (m manageNames) Products(ctx context.Context, identifiers []string) ([]billing.Product, error) {
	return m.client.ProductList(upstream.WithOnDemand(ctx), connectwise.ProductQuery{Identifiers: identifiers})
}

// manyCompanies is from where on all agreements of Manage, a thousand a call, are read
// with fewer calls than those of the companies, which an address takes some dozens of.
const manyCompanies = 500

func (m manageNames) Agreements(ctx context.Context, companies []billing.CompanyID, ids []billing.AgreementID) ([]billing.Agreement, error) {
	ctx = upstream.WithOnDemand(ctx)
	q := connectwise.AgreementQuery{Companies: companies, IDs: ids}
	wanted := make(map[billing.CompanyID]bool, len(companies))
	for _, c := range companies {
		wanted[c] = true
	}
	if len(companies) > manyCompanies {
		q = connectwise.AgreementQuery{}
	}
	var out []billing.Agreement
	err := m.client.Agreements(ctx, q, func(a billing.Agreement) error {
		if wanted[a.Company] || slices.Contains(ids, a.ID) {
			out = append(out, a)
			if m.currencies != nil && a.Currency != "" {
				m.currencies[a.Currency] = true
			}
		}
		return nil
	})
	return out, err
}

// msNames looks up what a file names at Microsoft.
type msNames struct {
	rooms *rooms
	desk  *desk
}

func (m *msNames) TenantOf(ctx context.Context, domain string) (billing.TenantID, error) {
	return m.rooms.microsoft.TenantOfDomain(ctx, domain)
}

// Read reads tenants, many at a time; one's trouble is its own evidence.
func (m *msNames) Read(ctx context.Context, asks []workspace.TenantAsk) ([]billing.Evidence, error) {
	out := make([]billing.Evidence, len(asks))
	var group errgroup.Group
	group.SetLimit(m.rooms.p.Settings.Customers)
	for i, ask := range asks {
		group.Go(func() error {
			cred, err := m.credential(ctx, ask.Connection)
			if err != nil {
				return fmt.Errorf("open the connection %q: %w", ask.Connection.Name, err)
			}
			out[i] = m.rooms.microsoft.Read(ctx, cred, ask.Tenant, false)
			out[i].Holders = nil // no file names a user, and those of all tenants would be most of the memory
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return out, ctx.Err()
}

// credential is a connection's way in as the file says it; only the sign-in of a partner
// is in no file and comes from the store.
func (m *msNames) credential(ctx context.Context, c workspace.MicrosoftConnection) (microsoft.Credential, error) {
	cred := microsoft.Credential{
		Connection: c.ID, Kind: microsoft.Kind(c.Kind), Cloud: c.Cloud, Tenant: c.Tenant, ClientID: c.ClientID,
		ClientSecret: c.ClientSecret.Reveal(), CertificatePEM: c.Certificate.Reveal(), Username: c.Username, Password: c.Password.Reveal(),
	}
	if cred.Kind != microsoft.PartnerConsent || c.ID == 0 {
		return cred, nil
	}
	token, err := m.desk.store.In(m.desk.id).Secret(ctx, c.ID, store.RefreshToken)
	if errors.Is(err, store.ErrNotFound) {
		return cred, nil // nobody has signed in yet: the read says so
	}
	cred.RefreshToken = token
	m.rooms.keep(c.ID, opened{workspace: m.desk.id, credential: cred})
	return cred, err
}
