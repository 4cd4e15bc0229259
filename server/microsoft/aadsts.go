package microsoft

// The sentences that several codes share.
var (
	consentSays   = says{"The app has no consent in this tenant, or it was taken away.", "Send the customer's administrator the consent link, or consent the app for the customer through Partner Center."}
	signInSays    = says{"The saved sign-in is no longer good.", "Sign in again for this connection, with MFA."}
	mfaSays       = says{"Microsoft asks for multi-factor authentication, which this kind of connection can't give.", "Use partner consent or an app of the tenant instead of a user name and password; for partner consent, sign in again."}
	accessSays    = says{"A Conditional Access policy of the tenant blocks the sign-in.", "Ask the tenant's administrator to exclude the app or the account from the policy."}
	passwordSays  = says{"User name or password is wrong.", "Enter them again. Trueup waits before it tries again, so that the account isn't locked."}
	gdapSays      = says{"The signed-in account is not allowed into this customer's tenant.", "Check the GDAP relationship: it must be active, and the account's security group must be assigned in it with Directory Readers or Global Reader. The account must not be a guest there."}
	tenantSays    = says{"Microsoft knows no such tenant here.", "Check the tenant id. It may be mistyped, deleted, or belong to another Microsoft cloud."}
	cloudSays     = says{"The tenant is in another Microsoft cloud.", "Choose the tenant's cloud in the connection; each cloud needs an app registration of its own."}
	endpointSays  = says{"The app can't sign in at a shared address.", "Enter the tenant id in the connection, and make the app multi-tenant if it is used for customers."}
	appSays       = says{"The app registration lacks what is asked for, or is not set up in this tenant.", "Add the permissions Organization.Read.All and User.Read.All to the app registration, and consent again."}
	disabledSays  = says{"The app is disabled in this tenant.", "Ask the tenant's administrator to enable the enterprise application for sign-in."}
	transientSays = says{"Microsoft's sign-in is in trouble for the moment.", "Nothing needs to be done, it is tried again."}
	assertionSays = says{"Microsoft doesn't accept the app's certificate.", "Check that this certificate is registered with the app. Just after a change it may take some minutes."}
	passwordOld   = says{"The account's password has expired.", "Change the password and enter the new one."}
	disabledUser  = says{"The account is disabled.", "Enable the account, or use another one."}
)

// refusal is what an AADSTS code means for a connection.
type refusal struct {
	health Health
	says   says
}

// refusals are the AADSTS codes that we word (Entra documentation, "Authentication
// and authorization error codes"; a few are known from logs only). It is never
// written to.
var refusals = map[int]refusal{
	50034:   {AccountProblem, says{"The account doesn't exist in this tenant.", "Check the user name and the tenant."}},
	50053:   {AccountProblem, says{"The account is locked after too many failed sign-ins, or its address is blocked.", "Wait, then check the password and test the connection."}},
	50055:   {AccountProblem, passwordOld},
	50144:   {AccountProblem, passwordOld},
	50056:   {SecretWrong, says{"The account has no password that Microsoft can check.", "Use an account with a cloud password, or partner consent."}},
	50057:   {AccountProblem, disabledUser},
	50072:   {MFARequired, mfaSays},
	50079:   {MFARequired, mfaSays},
	50074:   {MFARequired, mfaSays},
	50076:   {MFARequired, mfaSays},
	50078:   {SignInAgain, says{"The multi-factor sign-in has expired by the tenant's policy.", signInSays.action}},
	50126:   {SecretWrong, passwordSays},
	50064:   {SecretWrong, passwordSays},
	50105:   {AccountProblem, says{"The account is not assigned to the app.", "Assign the account to the enterprise application, or turn off that assignment is required."}},
	50173:   {SignInAgain, says{"The sign-in was revoked, or the password was changed.", signInSays.action}},
	50132:   {SignInAgain, says{"The sign-in was revoked, or the password was changed.", signInSays.action}},
	50133:   {SignInAgain, says{"The sign-in was revoked, or the password was changed.", signInSays.action}},
	50194:   {WrongTenant, endpointSays},
	90124:   {WrongTenant, endpointSays},
	90130:   {WrongTenant, endpointSays},
	9001023: {WrongTenant, endpointSays},
	50196:   {Transient, says{"Microsoft has seen too many equal sign-ins in a short time.", "Wait some minutes; it is tried again."}},
	50020:   {GDAPMissing, gdapSays},
	50177:   {GDAPMissing, gdapSays},
	90072:   {GDAPMissing, gdapSays},
	500011:  {WrongTenant, says{"What was asked for doesn't exist in this tenant.", "Check tenant id and cloud of the connection."}},
	50131:   {ConditionalAccess, accessSays},
	53000:   {ConditionalAccess, accessSays},
	53001:   {ConditionalAccess, accessSays},
	53002:   {ConditionalAccess, accessSays},
	53003:   {ConditionalAccess, accessSays},
	53004:   {ConditionalAccess, accessSays},
	53011:   {ConditionalAccess, accessSays},
	530003:  {ConditionalAccess, says{"A Conditional Access policy of the tenant wants a managed device.", accessSays.action}},
	530032:  {ConditionalAccess, says{"A security policy of the tenant blocks the sign-in.", accessSays.action}},
	530035:  {ConditionalAccess, says{"The tenant's security defaults block this way of signing in.", "Use partner consent or an app of the tenant instead of a user name and password."}},
	530034:  {ConditionalAccess, says{"Microsoft has blocked the delegated administrator because of a risk.", "Clear the account's risk in the partner's Entra admin center, then sign in again."}},
	65001:   {ConsentMissing, consentSays},
	65004:   {ConsentMissing, says{"The consent was declined.", "Ask the administrator again, with the consent link."}},
	90094:   {ConsentMissing, says{"An administrator of the tenant must consent.", consentSays.action}},
	90095:   {ConsentMissing, says{"An administrator of the tenant must consent.", consentSays.action}},
	90099:   {ConsentMissing, says{"The app is not approved for the partner in this tenant.", "Consent the app for the customer through Partner Center."}},
	650052:  {ConsentMissing, appSays},
	650056:  {ConsentMissing, appSays},
	650057:  {ConsentMissing, appSays},
	65005:   {ConsentMissing, appSays},
	700016:  {ConsentMissing, says{"The app is not known in this tenant: no consent was given, or app id, tenant or cloud is wrong.", "Check the app id and the tenant, then send the consent link."}},
	7000229: {ConsentMissing, says{"The app was removed from this tenant, or never consented there.", consentSays.action}},
	70000:   {SignInAgain, signInSays},
	70008:   {SignInAgain, says{"The saved sign-in has expired.", signInSays.action}},
	700082:  {SignInAgain, says{"The saved sign-in has expired because it wasn't used for 90 days.", signInSays.action}},
	70043:   {SignInAgain, says{"A policy limits how long a sign-in lasts, and it is over.", signInSays.action}},
	7000215: {SecretWrong, says{"The client secret is wrong.", "Enter the secret's value, not its id."}},
	7000222: {SecretExpired, says{"The client secret has expired.", "Make a new secret in the app registration and enter its value."}},
	7000218: {SecretWrong, says{"The app wants a secret or certificate and got none.", "Enter the client secret; for a user name and password without one, allow public client flows in the app registration."}},
	700027:  {SecretWrong, assertionSays},
	700023:  {SecretWrong, assertionSays},
	700024:  {SecretWrong, says{"The app's certificate statement is not valid at this time.", "Check the clock of the machine that Trueup runs on."}},
	1000502: {SecretExpired, says{"The app's certificate is not valid at this time.", "Make a new certificate, add it to the app registration and upload it here."}},
	50027:   {SecretWrong, assertionSays},
	7000112: {AppDisabled, disabledSays},
	70001:   {AppDisabled, disabledSays},
	90002:   {WrongTenant, tenantSays},
	90019:   {WrongTenant, says{"No tenant was named.", "Enter the tenant id in the connection."}},
	50059:   {WrongTenant, says{"No tenant was named.", "Enter the tenant id in the connection."}},
	5000224: {WrongTenant, says{"The tenant is not available; it may be deleted.", tenantSays.action}},
	900023:  {WrongTenant, says{"The tenant is not available; it may be deleted.", tenantSays.action}},
	90038:   {WrongCloud, cloudSays},
	900382:  {WrongCloud, cloudSays},
	900432:  {WrongCloud, cloudSays},
	50011:   {AppDisabled, says{"The address to which the sign-in returns isn't registered with the app.", "Add Trueup's address for returning to the app registration, under Authentication."}},
	54005:   {SignInAgain, says{"The sign-in page was answered twice.", "Begin the sign-in again."}},
	50033:   {Transient, transientSays},
	90006:   {Transient, transientSays},
	90024:   {Transient, transientSays},
	90033:   {Transient, transientSays},
	90090:   {Transient, transientSays},
	90055:   {Transient, transientSays},
}
