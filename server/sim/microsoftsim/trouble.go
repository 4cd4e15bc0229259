package microsoftsim

import (
	"slices"
	"strings"
)

// Trouble is the name of something that is wrong with a tenant, as its sign-in or Graph would say it.
type Trouble string

// The troubles of a tenant. All but the last four make the token endpoint refuse, with the AADSTS code in the comment; tokens that were issued
// before are refused by Graph too, unless Settings.LingeringTokens is on.
const (
	TroubleNone               Trouble = ""
	TroubleConsentMissing     Trouble = "consent_missing"      // 65001
	TroubleNoServicePrincipal Trouble = "no_service_principal" // 7000229
	TroubleSecretExpired      Trouble = "secret_expired"       // 7000222
	TroubleSecretWrong        Trouble = "secret_wrong"         // 7000215
	TroubleAppDisabled        Trouble = "app_disabled"         // 7000112
	TroubleAppNotFound        Trouble = "app_not_found"        // 700016
	TroubleConditionalAccess  Trouble = "conditional_access"   // 53003
	TroubleDevice             Trouble = "device_required"      // 530003
	TroubleTenantNotFound     Trouble = "tenant_not_found"     // 90002
	TroubleWrongCloud         Trouble = "wrong_cloud"          // 900382
	TroubleTransient          Trouble = "transient"            // 90033
	TroubleRefreshExpired     Trouble = "refresh_expired"      // 700082
	TroubleRefreshRevoked     Trouble = "refresh_revoked"      // 50173
	TroubleSignInFrequency    Trouble = "sign_in_frequency"    // 70043
	TroubleMFA                Trouble = "mfa_required"         // 50076
	TroubleMFAEnrol           Trouble = "mfa_enrol"            // 50079
	TroubleGDAPMissing        Trouble = "gdap_missing"         // 50020
	TroubleNotPreconsented    Trouble = "not_preconsented"     // 90099
	TroubleAdminConsent       Trouble = "admin_consent"        // 90094
	TroubleAssertionInvalid   Trouble = "assertion_invalid"    // 700027
	TroubleNoRoles            Trouble = "no_roles"             // tokens come without roles and scopes
	TroubleForbidden          Trouble = "graph_forbidden"      // Graph answers 403
	TroubleUnavailable        Trouble = "graph_unavailable"    // Graph answers 503
	TroubleExpiredTokens      Trouble = "tokens_refused"       // Graph answers 401 to every token
)

// TroubleStep is a trouble that holds from a day on; TroubleNone ends it.
type TroubleStep struct {
	Day     Day
	Trouble Trouble
}

// refusal is one way in which the token endpoint says no.
type refusal struct {
	code     int
	status   int
	oauth    string // the body's "error"
	suberror string
	text     string // {app} and {tenant} are filled in
}

// refusals are the AADSTS codes that the simulator uses itself, by code; the texts are Microsoft's, shortened.
func refusals() map[int]refusal {
	list := []refusal{
		{50011, 400, "invalid_request", "", "The redirect URI specified in the request does not match the redirect URIs configured for the application '{app}'."},
		{50020, 400, "invalid_grant", "", "User account from identity provider 'https://sts.windows.net/' does not exist in tenant '{tenant}' and cannot access the application '{app}' in that tenant."},
		{50027, 400, "invalid_client", "", "JWT token is invalid or malformed."},
		{50034, 400, "invalid_grant", "", "The user account does not exist in the {tenant} directory."},
		{50053, 400, "invalid_grant", "", "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."},
		{50055, 400, "invalid_grant", "", "The password is expired."},
		{50057, 400, "invalid_grant", "", "The user account is disabled."},
		{50059, 400, "invalid_request", "", "No tenant-identifying information found in either the request or implied by any provided credentials."},
		{50076, 400, "invalid_grant", "basic_action", "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."},
		{50079, 400, "invalid_grant", "basic_action", "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '00000003-0000-0000-c000-000000000000'."},
		{50126, 400, "invalid_grant", "", "Error validating credentials due to invalid username or password."},
		{50173, 400, "invalid_grant", "bad_token", "The provided grant has expired due to it being revoked, a fresh auth token is needed."},
		{50194, 400, "invalid_request", "", "Application '{app}' is not configured as a multi-tenant application."},
		{500011, 400, "invalid_resource", "", "The resource principal named {resource} was not found in the tenant named {tenant}."},
		{53003, 400, "invalid_grant", "message_only", "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."},
		{530003, 400, "invalid_grant", "message_only", "Your device is required to be managed to access this resource."},
		{54005, 400, "invalid_grant", "", "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token."},
		{501481, 400, "invalid_grant", "", "The Code_Verifier does not match the code_challenge supplied in the authorization request."},
		{65001, 400, "invalid_grant", "consent_required", "The user or administrator has not consented to use the application with ID '{app}'. Send an interactive authorization request for this user and resource."},
		{65004, 400, "consent_required", "", "The resource owner or authorization server denied the request."},
		{70000, 400, "invalid_grant", "", "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."},
		{70003, 400, "unsupported_grant_type", "", "The app requested an unsupported grant type."},
		{70008, 400, "invalid_grant", "", "The provided authorization code or refresh token has expired due to inactivity. Send a new interactive authorization request for this user and resource."},
		{70011, 400, "invalid_scope", "", "The provided value for the input parameter 'scope' is not valid. The scope {resource} is not valid."},
		{70043, 400, "invalid_grant", "token_expired", "The refresh token has expired or is invalid due to sign-in frequency checks by conditional access."},
		{700016, 400, "unauthorized_client", "", "Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant."},
		{700023, 401, "invalid_client", "", "Client assertion audience claim does not match Realm issuer."},
		{700024, 401, "invalid_client", "", "Client assertion is not within its valid time range."},
		{700027, 401, "invalid_client", "", "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]"},
		{700082, 400, "invalid_grant", "bad_token", "The refresh token has expired due to inactivity. The token was inactive for 90.00:00:00."},
		{7000112, 401, "unauthorized_client", "", "Application '{app}' is disabled."},
		{7000215, 401, "invalid_client", "", "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{app}'."},
		{7000218, 401, "invalid_client", "", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."},
		{7000222, 401, "invalid_client", "", "The provided client secret keys for app '{app}' are expired."},
		{7000229, 401, "invalid_client", "", "The client application {app} is missing service principal in the tenant {tenant}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119"},
		{90002, 400, "invalid_request", "", "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud."},
		{90033, 503, "temporarily_unavailable", "", "A transient error has occurred. Please try again."},
		{90055, 429, "temporarily_unavailable", "", "TenantThrottlingError: there are too many incoming requests."},
		{90094, 400, "invalid_grant", "consent_required", "Admin consent is required for the permissions requested by this application."},
		{90099, 400, "invalid_grant", "", "The application '{app}' has not been authorized in the tenant '{tenant}'. Applications must be authorized to access the customer tenant before partner delegated administrators can use them."},
		{900144, 400, "invalid_request", "", "The request body must contain the following parameter: '{resource}'."},
		{900382, 400, "invalid_request", "", "Confidential Client is not supported in Cross Cloud request."},
		{901002, 400, "invalid_request", "", "The 'resource' request parameter is not supported."},
		{9001023, 400, "invalid_request", "", "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint."},
		{9002313, 400, "invalid_request", "", "Invalid request. Request is malformed or invalid."},
		{1000502, 401, "invalid_client", "", "The provided certificate is not within its specified validity period."},
		{1002012, 400, "invalid_scope", "", "The provided value for scope {resource} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."},
	}
	byCode := make(map[int]refusal, len(list))
	for _, r := range list {
		byCode[r.code] = r
	}
	return byCode
}

// codeOf is the AADSTS code with which a trouble is told, 0 for troubles that the token endpoint doesn't see.
func codeOf(t Trouble) int {
	switch t {
	case TroubleConsentMissing:
		return 65001
	case TroubleNoServicePrincipal:
		return 7000229
	case TroubleSecretExpired:
		return 7000222
	case TroubleSecretWrong:
		return 7000215
	case TroubleAppDisabled:
		return 7000112
	case TroubleAppNotFound:
		return 700016
	case TroubleConditionalAccess:
		return 53003
	case TroubleDevice:
		return 530003
	case TroubleTenantNotFound:
		return 90002
	case TroubleWrongCloud:
		return 900382
	case TroubleTransient:
		return 90033
	}
	return userCodeOf(t)
}

// userCodeOf are the codes that belong to a signed-in user or a certificate.
func userCodeOf(t Trouble) int {
	switch t {
	case TroubleRefreshExpired:
		return 700082
	case TroubleRefreshRevoked:
		return 50173
	case TroubleSignInFrequency:
		return 70043
	case TroubleMFA:
		return 50076
	case TroubleMFAEnrol:
		return 50079
	case TroubleGDAPMissing:
		return 50020
	case TroubleNotPreconsented:
		return 90099
	case TroubleAdminConsent:
		return 90094
	case TroubleAssertionInvalid:
		return 700027
	}
	return 0
}

// known says whether t is one of the troubles above.
func (t Trouble) known() bool {
	return codeOf(t) != 0 || slices.Contains([]Trouble{TroubleNone, TroubleNoRoles, TroubleForbidden, TroubleUnavailable, TroubleExpiredTokens}, t)
}

// troubleOn is what is wrong with the tenant on a day.
func (t *Tenant) troubleOn(day Day) Trouble {
	trouble := TroubleNone
	for _, step := range t.Troubles {
		if step.Day > day {
			break
		}
		trouble = step.Trouble
	}
	return trouble
}

// fill puts names into a refusal's text.
func fill(text string, names map[string]string) string {
	for name, value := range names {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}
