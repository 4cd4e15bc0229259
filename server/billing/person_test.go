package billing_test

import (
	"testing"

	"trueup/server/billing"
)

// TestUserRoles: each role may what those before it may, its text form is read back, and
// nothing else is a role.
func TestUserRoles(t *testing.T) {
	t.Parallel()
	roles := []billing.UserRole{billing.RoleViewer, billing.RoleTechnician, billing.RoleBilling, billing.RoleAdmin}
	for i, r := range roles {
		text, err := r.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again billing.UserRole
		if err := again.UnmarshalText(text); err != nil || again != r {
			t.Errorf("%s reads as %s: %v", text, again, err)
		}
		for j, least := range roles {
			if r.At(least) != (i >= j) {
				t.Errorf("%s at %s is %v", r, least, r.At(least))
			}
		}
		if r.At(billing.NoRole) || billing.NoRole.At(r) {
			t.Errorf("%s and no role are compared", r)
		}
	}
	for _, beyond := range []billing.UserRole{billing.RoleAdmin + 1, billing.NoRole, -1} {
		if beyond.String() != "" || beyond.At(billing.RoleViewer) {
			t.Errorf("role %d is %q", int(beyond), beyond)
		}
	}
	r := billing.RoleAdmin
	if err := r.UnmarshalText(nil); err != nil || r != billing.NoRole {
		t.Errorf("nothing reads as %s: %v", r, err)
	}
	for _, text := range []string{"king", "Admin", " "} {
		if _, err := billing.ParseUserRole(text); err == nil {
			t.Errorf("%q is a role", text)
		}
	}
	if p := billing.DefaultSignInPolicy(); !p.MFARequired || p.SessionHours <= 0 || len(p.AllowedNetworks) > 0 {
		t.Errorf("the default policy is %+v", p)
	}
}
