package billing

import (
	"slices"
	"testing"
)

func TestMuteCovers(t *testing.T) {
	t.Parallel()
	day := Date(2026, 3, 17)
	n := Notification{Kind: UnlinkedLicenses, Customer: 4, License: LicenseRef{Tenant: "t", SKU: "s", Subscription: "u"}}
	for name, c := range map[string]struct {
		mute Mute
		want bool
	}{
		"kind":                   {Mute{Kind: UnlinkedLicenses, Until: day}, true},
		"another kind":           {Mute{Kind: SyncFailed, Until: day}, false},
		"customer":               {Mute{Customer: 4, Until: day + 9}, true},
		"another customer":       {Mute{Customer: 5, Until: day}, false},
		"SKU":                    {Mute{License: LicenseRef{Tenant: "t", SKU: "s"}, Until: day}, true},
		"subscription":           {Mute{License: LicenseRef{Tenant: "t", SKU: "s", Subscription: "u"}, Until: day}, true},
		"another subscription":   {Mute{License: LicenseRef{Tenant: "t", SKU: "s", Subscription: "v"}, Until: day}, false},
		"SKU of another tenant":  {Mute{License: LicenseRef{Tenant: "x", SKU: "s"}, Until: day}, false},
		"over":                   {Mute{Kind: UnlinkedLicenses, Until: day - 1}, false},
		"all of it":              {Mute{Kind: UnlinkedLicenses, Customer: 4, License: LicenseRef{Tenant: "t", SKU: "s"}, Until: day}, true},
		"all of it but one part": {Mute{Kind: UnlinkedLicenses, Customer: 5, License: LicenseRef{Tenant: "t", SKU: "s"}, Until: day}, false},
	} {
		if got := c.mute.Covers(n, day); got != c.want || Muted([]Mute{{Kind: SyncFailed, Until: day}, c.mute}, n, day) != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestUsualPreference: who only looks is told nothing, the others each kind, and what stops
// billing at once.
func TestUsualPreference(t *testing.T) {
	t.Parallel()
	for _, r := range []UserRole{NoRole, RoleViewer, RoleTechnician, RoleBilling, RoleAdmin} {
		p := UsualPreference(r)
		for _, k := range NotificationKinds() {
			how, ok := p.Choices[k]
			if !ok || !slices.Contains(Frequencies(), how) || (how == NotTold) == r.At(RoleTechnician) {
				t.Errorf("%s is told %s to %s", k, how, r)
			}
		}
		if r.At(RoleTechnician) && (p.How(ConnectionBroken) != AtOnce || p.How(HoldsWaiting) != Daily) {
			t.Errorf("%s: %v", r, p.Choices)
		}
	}
	if (Preference{}).How(SyncFailed) != NotTold {
		t.Error("a kind that no choice names is told")
	}
	a := Addressee{Email: "a@msp.example"}
	if a.To() != "a@msp.example" {
		t.Error(a.To())
	}
	if a.Preference.Email = "b@msp.example"; a.To() != "b@msp.example" {
		t.Error(a.To())
	}
}
