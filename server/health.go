package main

import (
	"context"
	"slices"
	"strings"

	"trueup/server/billing"
	"trueup/server/microsoft"
	"trueup/server/store"
)

// noteHealth keeps how a Microsoft connection was found, when that is another than was
// known: after every read, at the price of a comparison. A fault that is one tenant's
// alone says nothing of a connection that reads many.
func (r *rooms) noteHealth(ctx context.Context, w billing.WorkspaceID, id billing.ConnectionID, f *billing.Fault) {
	r.mu.Lock()
	c, known := r.connections[id]
	if !known {
		c = store.Connection{ID: id, Kind: store.ConnectionKind(r.opened[id].credential.Kind)}
	}
	now := store.Health{State: "healthy", Expires: c.Health.Expires}
	if f != nil {
		now = store.Health{State: "broken", Code: f.Reason, Text: f.Text, Action: f.Action, Expires: c.Health.Expires}
	}
	if f != nil && !isConnections(c.Kind, f.Reason) || c.Health.State == now.State && c.Health.Code == now.Code {
		r.mu.Unlock()
		return
	}
	if at, err := r.opened[id].credential.CertificateExpires(); err == nil {
		now.Expires = at
	}
	c.Health = now
	r.connections[id] = c
	r.mu.Unlock()
	if err := r.p.store.In(w).SaveHealth(ctx, id, now); err != nil && ctx.Err() == nil {
		r.p.log.WarnContext(ctx, "the health of a connection is not kept", "connection", id, "error", err)
	}
}

// isConnections says that a refusal is about the connection itself. With an app or
// account of one tenant every refusal is; with a partner's, those of its secret,
// certificate or sign-in (Entra documentation, "Authentication and authorization error
// codes"), since consent and relationship are each customer's own.
func isConnections(kind store.ConnectionKind, reason string) bool {
	if !strings.HasPrefix(reason, "AADSTS") && reason != "invalid_client" {
		return false
	}
	if kind == store.TenantApp || kind == store.Password {
		return true
	}
	return slices.Contains([]string{
		"invalid_client", "AADSTS7000215", "AADSTS7000222", "AADSTS700027", "AADSTS700024", "AADSTS7000212", "AADSTS70002",
		"AADSTS50173", "AADSTS700082", "AADSTS70008", "AADSTS70043", "AADSTS50078", "AADSTS50057", "AADSTS50053", "AADSTS50126",
		"AADSTS50055", "AADSTS50034",
	}, reason)
}

// skuNames are Microsoft's names as they were last refreshed, over the built-in ones.
func skuNames(ctx context.Context, s *store.Store) (func(billing.SKUID, string) string, error) {
	kept, err := s.SKUNames(ctx)
	if err != nil || len(kept) == 0 {
		return microsoft.SKUName, err
	}
	names := make(map[billing.SKUID]string, len(kept))
	for _, k := range kept {
		names[k.SKU] = k.Name
	}
	return func(id billing.SKUID, part string) string {
		if name := names[id]; name != "" {
			return name
		}
		return microsoft.SKUName(id, part)
	}, nil
}
