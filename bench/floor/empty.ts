// An empty v4 app: what the host, the library and the queue's receive and delete cost by themselves.
import { app } from '@azure/functions';

app.http('empty', {
  route: 'empty',
  methods: ['POST'],
  authLevel: 'anonymous',
  handler: async (request) => {
    await request.text();
    return { status: 202, jsonBody: { status: 'accepted' } };
  },
});
app.storageQueue('sendMail', {
  queueName: 'outgoing-mail',
  connection: 'AzureWebJobsStorage',
  handler: () => undefined,
});
