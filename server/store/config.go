package store

import (
	"context"
	"fmt"
	"slices"

	"trueup/server/billing"
)

// Configuration is all that a person decided of a workspace, secrets apart.
type Configuration struct {
	Workspace   billing.Workspace
	Connections []Connection // the one to Manage first
	Types       []AgreementType
	Profiles    []Profile // retired ones too
	Rules       []billing.Rule
	Customers   []Configured
}

// Configured is a customer with its links, without ledgers.
type Configured struct {
	billing.Customer

	Links []Link
}

// LoadConfig reads the whole configuration; removed customers and links are left out.
// In a Tx it is what the transaction sees.
func (s *Scope) LoadConfig(ctx context.Context) (Configuration, error) {
	var c Configuration
	settings, err := s.Settings(ctx)
	if err != nil {
		return c, err
	}
	c.Workspace, c.Rules = settings.Workspace, settings.Rules
	if c.Connections, err = s.Connections(ctx); err != nil {
		return c, err
	}
	if c.Types, err = s.AgreementTypes(ctx); err != nil {
		return c, err
	}
	if c.Profiles, err = s.Profiles(ctx); err != nil {
		return c, err
	}
	customers, err := s.Customers(ctx)
	if err != nil {
		return c, err
	}
	links, err := s.Links(ctx)
	if err != nil {
		return c, err
	}
	for _, u := range customers {
		c.Customers = append(c.Customers, Configured{u, links[u.ID]})
	}
	return c, nil
}

// FindWorkspace is the workspace of a name; ErrNotFound.
func (s *Store) FindWorkspace(ctx context.Context, name string) (billing.Workspace, error) {
	all, err := s.Workspaces(ctx)
	if err != nil {
		return billing.Workspace{}, err
	}
	i := slices.IndexFunc(all, func(w billing.Workspace) bool { return w.Name == name })
	if i < 0 {
		return billing.Workspace{}, fmt.Errorf("workspace %q: %w", name, ErrNotFound)
	}
	return all[i], nil
}
