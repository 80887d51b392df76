// What wakes somebody: log alerts on our own events, and an availability test. The queries are docs/kql/alert*.kql.
param location string
param tags object
param workspaceId string
param applicationInsightsId string
param healthUrl string
param healthTestSeconds int
@description('Addresses the alerts are sent to.')
param emails string[]

var rules = [
  {
    name: 'poisonMail'
    severity: 1
    description: 'Mails lie in outgoing-mail-poison: docs/operations.md, "Poison queue".'
    query: loadTextContent('../../docs/kql/alertPoisonMail.kql')
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'deliveryAlert'
    severity: 2
    description: 'A mail failed for good, or was given up after 24 hours: docs/operations.md, "A mail failed".'
    query: loadTextContent('../../docs/kql/alertDeliveryAlert.kql')
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'misconfigured'
    severity: 1
    description: 'The mail provider has been refusing our key or our settings: docs/operations.md, "Provider outage".'
    query: loadTextContent('../../docs/kql/alertMisconfigured.kql')
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'nothingSent'
    severity: 1
    description: 'Mails are waiting or failing, or requests come in, and not one mail went out: docs/operations.md, "Provider outage".'
    query: loadTextContent('../../docs/kql/alertNothingSent.kql')
    every: 'PT5M'
    window: 'PT30M'
  }
  {
    name: 'badSettings'
    severity: 0
    description: 'The settings are bad: only api/health runs, and the log names each: docs/operations.md, "Bad settings".'
    query: loadTextContent('../../docs/kql/alertBadSettings.kql')
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'serverErrors'
    severity: 2
    description: 'More than five answers of 500 or above in a quarter of an hour: docs/operations.md, "Answers of 503".'
    query: loadTextContent('../../docs/kql/alertServerErrors.kql')
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'linkInLog'
    severity: 0
    description: 'A log line holds the path of a reset link: docs/operations.md, "A link in the log".'
    query: loadTextContent('../../docs/kql/alertLinkInLog.kql')
    every: 'PT15M'
    window: 'PT30M'
  }
]

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-password-reset'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'pwreset'
    enabled: true
    emailReceivers: [
      for (email, index) in emails: {
        name: 'mail-${index}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2022-06-15' = [
  for rule in rules: {
    name: 'password-reset-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Password reset: ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      // The first deployment comes before the first log line.
      skipQueryValidation: true
      actions: {
        actionGroups: [actionGroup.id]
      }
    }
  }
]

// Flex Consumption has no health check of the platform's.
resource availabilityTest 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'password-reset-health'
  location: location
  tags: union(tags, { 'hidden-link:${applicationInsightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'password-reset-health'
    Name: 'password-reset-health'
    Description: 'Settings, tables, queue and site row, as api/health sees them.'
    Enabled: true
    Frequency: healthTestSeconds
    Timeout: 30
    Kind: 'standard'
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'us-ca-sjc-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: healthUrl
      HttpVerb: 'GET'
      ParseDependentRequests: false
      FollowRedirects: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
      ContentValidation: {
        ContentMatch: '"status":"ok"'
        IgnoreCase: false
        PassIfTextFound: true
      }
    }
  }
}

resource availabilityAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'password-reset-unavailable'
  location: 'global'
  tags: union(tags, {
    'hidden-link:${applicationInsightsId}': 'Resource'
    'hidden-link:${availabilityTest.id}': 'Resource'
  })
  properties: {
    description: 'api/health fails from two places or more: docs/operations.md, "Answers of 503".'
    severity: 1
    enabled: true
    scopes: [
      availabilityTest.id
      applicationInsightsId
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: availabilityTest.id
      componentId: applicationInsightsId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: [
      {
        actionGroupId: actionGroup.id
      }
    ]
  }
}
