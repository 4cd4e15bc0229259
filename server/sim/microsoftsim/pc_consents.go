package microsoftsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// consentRequest is the body of POST applicationconsents (control-panel-vendor-apis).
type consentRequest struct {
	ApplicationID string `json:"applicationId"`
	DisplayName   string `json:"displayName,omitempty"`
	Grants        []struct {
		EnterpriseApplicationID string `json:"enterpriseApplicationId"`
		Scope                   string `json:"scope"`
	} `json:"applicationGrants"`
}

// knownScopes are the delegated permissions that a consent may name.
func knownScopes() []string {
	return []string{
		"Organization.Read.All", "Organization.ReadWrite.All", "User.Read", "User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All",
		"DelegatedAdminRelationship.Read.All", "DelegatedAdminRelationship.ReadWrite.All", "LicenseAssignment.Read.All", "LicenseAssignment.ReadWrite.All",
		"CrossTenantInformation.ReadBasic.All", "user_impersonation", "openid", "profile", "offline_access", "email",
	}
}

// pcConsents is POST and DELETE /v1/customers/{id}/applicationconsents[/{appId}]: app+user only, the token's app for itself, and a user
// whose role in the customer's tenant may consent.
func (s *Sim) pcConsents(q *request, parts []string) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	const path = "/customers/*/applicationconsents"
	partner, answer, ok := s.pcAdmit(q)
	if !ok {
		return named(path, answer)
	}
	call := &graphCall{request: q, tenant: partner, args: []string{parts[1]}, day: s.day}
	t, refused := s.pcFind(call)
	if refused != nil {
		return named(path, *refused)
	}
	mayConsent := []string{roleCloudAppAdmin, roleAppAdmin, roleGlobalAdmin}
	active := t.Partnership.status(s.day) == "active" && !t.Partnership.NoGroup
	if q.who.Type != "user" || !active || !slices.ContainsFunc(t.Partnership.roles(), func(id string) bool { return slices.Contains(mayConsent, id) }) {
		return named(path, pcError(http.StatusForbidden, "403", "Access is denied."))
	}
	switch {
	case q.method == http.MethodPost && len(parts) == 3:
		return named(path, s.pcAddConsent(q, t))
	case q.method == http.MethodDelete && len(parts) == 4:
		return named(path+"/*", s.pcRemoveConsent(t, parts[3]))
	}
	return named(path, pcError(http.StatusMethodNotAllowed, "405", "Method not allowed."))
}

func (s *Sim) pcAddConsent(q *request, t *Tenant) response {
	var in consentRequest
	if err := json.Unmarshal(q.body, &in); err != nil || len(in.Grants) == 0 {
		return pcError(http.StatusBadRequest, "2000", "The request body is not a consent.")
	}
	switch {
	case !strings.EqualFold(in.ApplicationID, q.who.AppID):
		return pcError(http.StatusForbidden, "403", "The access token was not issued to the application that asks for consent.")
	case s.apps[strings.ToLower(in.ApplicationID)] == nil || !s.apps[strings.ToLower(in.ApplicationID)].MultiTenant:
		return pcError(http.StatusBadRequest, "2000", "The application is not multi-tenant.")
	case t.consent(in.ApplicationID) != nil:
		return pcError(http.StatusConflict, "409", "Permission entry already exists.")
	}
	consent := Consent{AppID: in.ApplicationID}
	for _, grant := range in.Grants {
		if resourceOf(grant.EnterpriseApplicationID, q.urls) == "" {
			return pcError(http.StatusBadRequest, "2000", "The enterprise application "+grant.EnterpriseApplicationID+" was not found.")
		}
		for _, scope := range strings.Split(grant.Scope, ",") {
			scope = strings.TrimSpace(scope)
			if !slices.Contains(knownScopes(), scope) {
				return pcError(http.StatusBadRequest, "2000", "The scope "+scope+" is not known.")
			}
			consent.Scopes = append(consent.Scopes, scope)
		}
	}
	t.setConsent(consent)
	answer := jsonAnswer(http.StatusCreated, in)
	answer.header.Set("Content-Type", "application/json; charset=utf-8")
	return answer
}

func (s *Sim) pcRemoveConsent(t *Tenant, appID string) response {
	if t.consent(appID) == nil {
		return pcError(http.StatusNotFound, "404", "The application has no consent.")
	}
	t.Consents = slices.DeleteFunc(t.Consents, func(c Consent) bool { return strings.EqualFold(c.AppID, appID) })
	return response{status: http.StatusNoContent, header: http.Header{}}
}
