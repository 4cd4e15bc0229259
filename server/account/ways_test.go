package account_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"trueup/server/account"
	"trueup/server/billing"
)

// TestWays: what the sign-in page may offer, to whoever looks.
func TestWays(t *testing.T) {
	t.Parallel()
	op := newProvider(t)
	h := build(t, func(c *account.Config) { c.HTTP, c.AllowHTTP = op.client(), true })
	ctx := t.Context()
	want := func(what string, w account.Ways) {
		t.Helper()
		got, err := h.Ways(ctx)
		must(t, err)
		if diff := cmp.Diff(w, got); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	want("an empty house", account.Ways{Nobody: true, Mail: true})
	_, ines := h.first()
	want("with its first administrator", account.Ways{Mail: true})
	settings := op.settings()
	_, err := h.SaveProvider(ctx, ines, settings, &op.secret, h.from)
	must(t, err)
	want("with a provider", account.Ways{Mail: true, Provider: true, Name: settings.Name})

	// A second workspace's provider: neither is named to strangers.
	fabrikam := h.workspace("Fabrikam MSP")
	must(t, h.store.In(fabrikam).SaveProvider(ctx, billing.Provider{
		Name: "Fabrikam", Issuer: "https://op.fabrikam.example", ClientID: "x", Domains: []string{"fabrikam.example"},
	}, nil, billing.AuditEntry{Actor: billing.Actor{Kind: "terminal", Name: "the terminal"}, Action: "provider_saved"}))
	want("with two providers", account.Ways{Mail: true, Provider: true})
}

// TestWaysWithoutMail: where no mail goes out and no provider can be asked, a password is
// the only way.
func TestWaysWithoutMail(t *testing.T) {
	t.Parallel()
	h := build(t, func(c *account.Config) { c.Mailer, c.HTTP = nil, nil })
	h.first()
	got, err := h.Ways(t.Context())
	must(t, err)
	if diff := cmp.Diff(account.Ways{}, got); diff != "" {
		t.Error(diff)
	}
}
