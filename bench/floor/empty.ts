// An empty v4 app: what the host, the library, the queue's receive and delete, and as many lines of log cost by themselves.
import { app } from '@azure/functions';

app.http('empty', {
  route: 'empty',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request, context) => {
    await request.text();
    for (const event of ['requestReset', 'answered']) context.log(JSON.stringify({ event, mailId: 'x'.repeat(22) }));
    return { status: 202, jsonBody: { status: 'accepted' } };
  },
});
app.storageQueue('sendMail', {
  queueName: 'outgoing-mail',
  connection: 'AzureWebJobsStorage',
  handler: (_message, context) => {
    context.log(
      JSON.stringify({ event: 'sendMail', outcome: 'accepted', mailId: 'x'.repeat(22), backend: 'sendgrid' }),
    );
  },
});
